"""How labels of annotated sets and this detector's categories are compared: both are mapped onto common classes.

Sets name the same thing differently (`PERSON`, `NAME`, `GIVENNAME`; `GPE`, `LOCATION`, `CITY`), and this detector is
finer than most (`PL_PESEL` where a set says `NATIONAL_ID`). `class_of` maps either; what it maps to None is not
counted on either side, since the set did not ask for it or the detector does not look for it.
"""

from __future__ import annotations

import re

from alcaide.instruments.guard.detectors.personal_data.identifiers import IDENTIFIERS

_CLASSES: dict[str, str] = {
    "PERSON": "PERSON NAME FIRSTNAME FIRST_NAME LASTNAME LAST_NAME MIDDLENAME MIDDLE_NAME GIVENNAME GIVEN_NAME SURNAME "
    "FULLNAME FULL_NAME PER PERSON_NAME PATIENT DOCTOR CLIENT_NAME NAME_STUDENT STAFF HCW LAW",
    "LOCATION": "LOCATION GPE LOC CITY STATE COUNTRY COUNTY PLACE LANDMARK STATE_OR_PROVINCE NEARBYGPSCOORDINATE",
    "STREET_ADDRESS": "STREET_ADDRESS ADDRESS STREET STREETADDRESS BUILDINGNUM BUILDINGNUMBER SECONDARYADDRESS "
    "LOCATION_ADDRESS FULL_ADDRESS",
    "ZIP_CODE": "ZIP_CODE ZIP ZIPCODE POSTCODE POSTAL_CODE POSTALCODE",
    "ORGANIZATION": "ORGANIZATION ORGANISATION ORG COMPANY COMPANY_NAME COMPANYNAME HOSPITAL SCHOOL UNIVERSITY INSURER "
    "BANK BANK_NAME MERCHANT COURT UNIVERSITY_NAME RESTAURANT RESTAURANT_NAME HOTEL_NAME GYM_NAME INSTITUTE EMPLOYER "
    "VENDOR",
    "NRP": "NRP NATIONALITY RELIGION POLITICAL_OPINION ETHNICITY RACE_ETHNICITY NORP",
    "TITLE": "TITLE PREFIX POSITION JOB_TITLE JOBTITLE OCCUPATION JOB JOBTYPE",
    "DATE_TIME": "DATE_TIME DATE DATE_OF_BIRTH DOB TIME BIRTHDATE DATEOFBIRTH YEAR",
    "AGE": "AGE",
    "EMAIL_ADDRESS": "EMAIL_ADDRESS EMAIL",
    "PHONE_NUMBER": "PHONE_NUMBER PHONE TELEPHONE PHONENUMBER TELEPHONENUM FAX FAX_NUMBER PHONE_NUM PHONEIMEI",
    "CREDIT_CARD": "CREDIT_CARD CREDITCARD CREDITCARDNUMBER CREDIT_CARD_NUMBER CREDIT_DEBIT_CARD CARD_NUMBER",
    "IBAN_CODE": "IBAN_CODE IBAN",
    "ACCOUNT_NUMBER": "ACCOUNT_NUMBER ACCOUNT US_BANK_NUMBER ACCOUNTNUMBER BANK_ACCOUNT CUSTOMER_ID EMPLOYEE_ID "
    "STUDENT_ID MEDICAL_RECORD_NUMBER MRN MEDICAL_RECORD HEALTH_INSURANCE_ID HEALTH_PLAN_BENEFICIARY_NUMBER UNIQUE_ID",
    "SWIFT_CODE": "SWIFT_CODE SWIFT BIC SWIFT_BIC_CODE",
    "CRYPTO": "CRYPTO BITCOINADDRESS ETHEREUMADDRESS LITECOINADDRESS",
    "IP_ADDRESS": "IP_ADDRESS IP IPV4 IPV6 IPADDRESS",
    "MAC_ADDRESS": "MAC_ADDRESS MAC MACADDRESS",
    "URL": "URL DOMAIN_NAME LINK WEBSITE DOMAIN",
    "USERNAME": "USERNAME USER_NAME USERID MENTION HANDLE",
    "POLICY_NUMBER": "POLICY_NUMBER",
    "CASE_NUMBER": "CASE_NUMBER CASE_ID CLAIM_ID",
    "DRIVER_LICENSE": "US_DRIVER_LICENSE UK_DRIVING_LICENCE EU_DRIVING_LICENCE DRIVER_LICENSE DRIVERLICENSENUM "
    "DRIVERS_LICENSE IT_DRIVER_LICENSE",
    "PASSPORT": "PASSPORT PASSPORT_NUMBER PASSPORTNUM US_PASSPORT UK_PASSPORT CA_PASSPORT EU_PASSPORT IN_PASSPORT "
    "CN_PASSPORT AU_PASSPORT RU_PASSPORT",
    "US_SSN": "US_SSN SSN SOCIALNUM SOCIAL_SECURITY_NUMBER",
    "PL_PESEL": "PL_PESEL PESEL",
    "PL_NIP": "PL_NIP NIP",
    "MEDICAL_CONDITION": "MEDICAL_CONDITION DIAGNOSIS",
    "LICENSE_PLATE": "LICENSE_PLATE VEHICLEVRM LICENSEPLATE",
    "VEHICLE_ID": "VEHICLE_ID VIN VEHICLEVIN VEHICLE_IDENTIFIER",
}  # fmt: skip

CLASS_OF: dict[str, str] = {label: name for name, labels in _CLASSES.items() for label in labels.split()}
"""Labels of sets and categories of this detector, onto the class both are counted under."""

_NATIONAL = frozenset(one.entity for one in IDENTIFIERS) - CLASS_OF.keys()


def class_of(label: str) -> str | None:
    """The class that `label` is counted under; None if it is not counted."""
    label = re.sub(r"[^A-Z0-9]+", "_", label.upper()).strip("_")
    if label in CLASS_OF:
        return CLASS_OF[label]
    return (
        "NATIONAL_ID"
        if label in _NATIONAL or label in ("NATIONAL_ID", "IDCARDNUM", "ID_CARD", "TAX_ID", "TAXNUM")
        else None
    )


def compared(
    truth: list[tuple[int, int, str]], found: list[tuple[int, int, str]]
) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, str]]]:
    """Spans of one text in common classes, and only those classes that the set marks somewhere are for the caller to
    keep; an address that a set marks piece by piece stays in pieces."""
    return _mapped(truth), _mapped(found)


def _mapped(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    return [(start, end, name) for start, end, label in spans if (name := class_of(label)) is not None]
