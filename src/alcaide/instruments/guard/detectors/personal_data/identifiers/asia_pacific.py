"""Identifiers of Asia, the Pacific, Africa and the Middle East."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.personal_data.identifiers.model import Identifier, by_stdnum


def _singapore(value: str) -> bool:
    """Weights 2,7,6,5,4,3,2, offset 4 for T and G and 3 for M; the series decides the letters.

    The algorithm is not published by its issuer; this is the one in general use.
    """
    series, digits, letter = value[0], value[1:8], value[8]
    if series not in "STFGM":
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, (2, 7, 6, 5, 4, 3, 2), strict=True)) + {
        "T": 4,
        "G": 4,
        "M": 3,
    }.get(series, 0)
    remainder = total % 11
    if series in "ST":
        return "JZIHGFEDCBA"[remainder] == letter
    if series in "FG":
        return "XWUTRQPNMLK"[remainder] == letter
    return "KLJNPQRTUWX"[10 - remainder] == letter


def _taiwan(value: str) -> bool:
    """The first letter stands for two digits; weights 1,9,8…1,1 and a sum divisible by ten."""
    number = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0])
    digits = [number // 10, number % 10, *map(int, value[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return digits[2] in (1, 2, 8, 9) and sum(a * b for a, b in zip(digits, weights, strict=True)) % 10 == 0


def _medicare(value: str) -> bool:
    """First digit 2 to 6; the ninth is the weighted sum of the first eight modulo ten."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    return value[0] in "23456" and sum(int(d) * w for d, w in zip(value, weights, strict=False)) % 10 == int(
        value[8]
    )


ASIA_PACIFIC: tuple[Identifier, ...] = (
    Identifier(
        "IN_AADHAAR",
        "IN",
        "Indian Aadhaar number",
        ("9999 9999 9999", "9999-9999-9999", "999999999999"),
        ("aadhaar", "aadhar", "uidai", "आधार"),
        by_stdnum("in_.aadhaar"),
        plain=0.12,
        formatted=0.8,
        unchecked=0.75,
    ),
    Identifier(
        "IN_PAN",
        "IN",
        "Indian permanent account number",
        ("AAAAA9999A",),
        ("pan", "income tax"),
        by_stdnum("in_.pan"),
        plain=0.85,
        formatted=0.85,
        unchecked=0.7,
    ),
    Identifier(
        "IN_GSTIN",
        "IN",
        "Indian goods and services tax number",
        ("99AAAAA9999A9A9", "99AAAAA9999A9AA"),
        ("gst", "gstin"),
        by_stdnum("in_.gstin"),
        plain=0.95,
        formatted=0.95,
        level="note",
    ),
    Identifier(
        "IN_VOTER_ID",
        "IN",
        "Indian voter number",
        ("AAA9999999",),
        ("voter", "epic", "election"),
        by_stdnum("in_.epic"),
        plain=0.3,
    ),
    Identifier(
        "IN_PASSPORT", "IN", "Indian passport number", ("A9999999",), ("passport",), None, needs_word=True
    ),
    Identifier(
        "CN_RESIDENT_ID",
        "CN",
        "Chinese resident identity number",
        ("999999999999999999", "99999999999999999A"),
        ("身份证", "身份證", "resident id", "id card", "identity"),
        by_stdnum("cn.ric"),
        plain=0.95,
        formatted=0.95,
        unchecked=0.7,
    ),
    Identifier(
        "CN_CREDIT_CODE",
        "CN",
        "Chinese social credit code",
        (),
        ("统一社会信用代码",),
        by_stdnum("cn.uscc"),
        level="note",
    ),
    Identifier(
        "CN_PASSPORT",
        "CN",
        "Chinese passport number",
        ("A99999999", "AA9999999"),
        ("护照", "passport"),
        None,
        needs_word=True,
    ),
    Identifier(
        "JP_MY_NUMBER",
        "JP",
        "Japanese individual number",
        ("999999999999", "9999 9999 9999", "9999-9999-9999"),
        ("マイナンバー", "個人番号", "my number", "mynumber", "individual number"),
        by_stdnum("jp.in_"),
        plain=0.06,
        formatted=0.3,
    ),
    Identifier(
        "JP_CORPORATE_NUMBER",
        "JP",
        "Japanese corporate number",
        ("9999999999999",),
        ("法人番号", "corporate number"),
        by_stdnum("jp.cn"),
        needs_word=True,
        level="note",
    ),
    Identifier(
        "KR_RRN",
        "KR",
        "South Korean resident number",
        ("999999-9999999", "9999999999999"),
        ("주민등록", "주민번호", "rrn", "resident registration"),
        by_stdnum("kr.rrn"),
        plain=0.3,
        formatted=0.9,
        unchecked=0.75,
    ),
    Identifier(
        "TW_NATIONAL_ID",
        "TW",
        "Taiwanese identity number",
        ("A999999999",),
        ("身分證", "身份證", "national id"),
        _taiwan,
        plain=0.35,
    ),
    Identifier(
        "HK_ID",
        "HK",
        "Hong Kong identity card number",
        ("A999999(9)", "A999999(A)", "AA999999(9)"),
        ("hkid", "hong kong id", "身份證"),
        None,
        plain=0.0,
        formatted=0.85,
    ),
    Identifier(
        "SG_NRIC",
        "SG",
        "Singapore identity number",
        ("A9999999A",),
        ("nric", "fin", "identity card", "ic no"),
        _singapore,
        plain=0.85,
        formatted=0.85,
        unchecked=0.72,
    ),
    Identifier(
        "SG_UEN",
        "SG",
        "Singapore entity number",
        ("99999999A", "999999999A", "A99AA9999A"),
        ("uen",),
        by_stdnum("sg.uen"),
        plain=0.3,
        level="note",
    ),
    Identifier(
        "MY_NRIC",
        "MY",
        "Malaysian identity number",
        ("999999-99-9999", "999999999999"),
        ("mykad", "nric", "kad pengenalan", "ic no", "no. kp"),
        by_stdnum("my.nric"),
        plain=0.1,
        formatted=0.9,
    ),
    Identifier(
        "TH_NATIONAL_ID",
        "TH",
        "Thai identity number",
        ("9-9999-99999-99-9", "9999999999999"),
        ("บัตรประชาชน", "เลขประจำตัว", "thai id", "national id"),
        by_stdnum("th.pin"),
        plain=0.25,
        formatted=0.95,
    ),
    Identifier(
        "ID_NIK",
        "ID",
        "Indonesian identity number",
        ("9999999999999999",),
        ("nik", "ktp"),
        by_stdnum("id.nik"),
        plain=0.25,
    ),
    Identifier(
        "ID_NPWP",
        "ID",
        "Indonesian taxpayer number",
        ("99.999.999.9-999.999",),
        ("npwp",),
        by_stdnum("id.npwp"),
        plain=0.8,
        formatted=0.9,
    ),
    Identifier(
        "PK_CNIC",
        "PK",
        "Pakistani identity number",
        ("99999-9999999-9", "9999999999999"),
        ("cnic", "nadra"),
        by_stdnum("pk.cnic"),
        plain=0.1,
        formatted=0.92,
    ),
    Identifier(
        "PH_TIN",
        "PH",
        "Philippine taxpayer number",
        ("999-999-999-999", "999-999-999"),
        ("tin", "philippine"),
        None,
        needs_word=True,
    ),
    Identifier(
        "VN_ID",
        "VN",
        "Vietnamese citizen number",
        ("999999999999",),
        ("căn cước", "cccd", "cmnd"),
        None,
        needs_word=True,
    ),
    Identifier(
        "AU_TFN",
        "AU",
        "Australian tax file number",
        ("999 999 999", "999-999-999", "999999999"),
        ("tfn", "tax file"),
        by_stdnum("au.tfn"),
        plain=0.04,
        formatted=0.25,
        unchecked=0.68,
    ),
    Identifier(
        "AU_MEDICARE",
        "AU",
        "Australian Medicare number",
        ("9999 99999 9", "9999-99999-9", "9999999999", "9999 99999 9 9", "9999 99999 9/9"),
        ("medicare",),
        _medicare,
        plain=0.03,
        formatted=0.85,
    ),
    Identifier(
        "AU_ABN",
        "AU",
        "Australian business number",
        ("99 999 999 999", "99999999999"),
        ("abn", "business number"),
        by_stdnum("au.abn"),
        plain=0.06,
        formatted=0.7,
        level="note",
    ),
    Identifier(
        "AU_ACN",
        "AU",
        "Australian company number",
        ("999 999 999", "999999999"),
        ("acn",),
        by_stdnum("au.acn"),
        needs_word=True,
        level="note",
    ),
    Identifier(
        "AU_PASSPORT",
        "AU",
        "Australian passport number",
        ("A9999999", "AA9999999"),
        ("passport",),
        None,
        needs_word=True,
    ),
    Identifier(
        "NZ_IRD",
        "NZ",
        "New Zealand tax number",
        ("99-999-999", "999-999-999", "99999999", "999999999"),
        ("ird", "inland revenue"),
        by_stdnum("nz.ird"),
        plain=0.03,
        formatted=0.3,
    ),
    Identifier(
        "NZ_NHI",
        "NZ",
        "New Zealand health number",
        ("AAA9999", "AAA99AA"),
        ("nhi", "health index"),
        None,
        needs_word=True,
    ),
    Identifier(
        "ZA_ID",
        "ZA",
        "South African identity number",
        ("9999999999999", "999999 9999 999", "999999 9999 99 9"),
        ("id number", "identity number", "south african", "said", "rsa id"),
        by_stdnum("za.idnr"),
        plain=0.35,
        formatted=0.9,
    ),
    Identifier(
        "KE_PIN", "KE", "Kenyan tax number", ("A999999999A",), ("kra", "pin"), by_stdnum("ke.pin"), plain=0.6
    ),
    Identifier(
        "NG_NIN",
        "NG",
        "Nigerian identity number",
        ("99999999999",),
        ("nin", "bvn", "national identification"),
        None,
        needs_word=True,
    ),
    Identifier(
        "EG_NATIONAL_ID",
        "EG",
        "Egyptian national number",
        ("99999999999999",),
        ("الرقم القومي", "national id", "national number"),
        lambda d: d[0] in "23" and "01" <= d[3:5] <= "12" and "01" <= d[5:7] <= "31",
        plain=0.15,
    ),
    Identifier(
        "MA_ICE",
        "MA",
        "Moroccan company number",
        ("999999999999999",),
        ("ice",),
        by_stdnum("ma.ice"),
        needs_word=True,
        level="note",
    ),
    Identifier(
        "TR_TCKN",
        "TR",
        "Turkish identity number",
        ("99999999999",),
        ("tckn", "t.c.", "tc kimlik", "kimlik no", "kimlik numara"),
        by_stdnum("tr.tckimlik"),
        plain=0.3,
        unchecked=0.72,
    ),
    Identifier(
        "IL_ID",
        "IL",
        "Israeli identity number",
        ("999999999", "99999999-9"),
        ("teudat zehut", "ת.ז", "תעודת זהות", "israeli id", "id number"),
        by_stdnum("il.idnr"),
        plain=0.04,
        formatted=0.3,
    ),
    Identifier(
        "AE_EMIRATES_ID",
        "AE",
        "Emirates identity number",
        ("999-9999-9999999-9", "999999999999999"),
        ("emirates id", "الهوية"),
        lambda digits: digits.startswith("784"),
        plain=0.5,
        formatted=0.95,
    ),
    Identifier(
        "SA_NATIONAL_ID",
        "SA",
        "Saudi identity number",
        ("9999999999",),
        ("iqama", "الهوية", "national id"),
        lambda digits: digits[0] in "12",
        needs_word=True,
    ),
)
