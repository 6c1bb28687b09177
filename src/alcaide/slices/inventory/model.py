"""The nouns of the register, as plain frozen values.

Left out on purpose: how text from outside becomes one of these (rules.validate) and where they are kept (tables).
A field that nobody has filled in is the empty string, an empty tuple or the member `unknown`, never a guess:
the pages show what is unknown first, and that works only if unknown stays distinguishable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Role(StrEnum):
    """What the organisation is to this system in the sense of Regulation (EU) 2024/1689, Article 3(3) to (8)."""

    PROVIDER = "provider"
    DEPLOYER = "deployer"
    IMPORTER = "importer"
    DISTRIBUTOR = "distributor"
    PRODUCT_MANUFACTURER = "product-manufacturer"
    AUTHORISED_REPRESENTATIVE = "authorised-representative"
    NONE = "none"
    UNKNOWN = "unknown"


class Autonomy(StrEnum):
    """Where the person stands between what the system says and what then happens."""

    INFORMS = "informs"
    IN_THE_LOOP = "human-in-the-loop"
    ON_THE_LOOP = "human-on-the-loop"
    OUT_OF_THE_LOOP = "human-out-of-the-loop"
    UNKNOWN = "unknown"


class Exposure(StrEnum):
    """Who can reach the system."""

    INTERNAL = "internal"
    PARTNERS = "partners"
    PUBLIC = "public"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """Whether the system is in use. Not its stage: a system can be suspended at any stage."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class Stage(StrEnum):
    """How far a system has come, in the order in which it may come there."""

    DESIGN = "design"
    DATA = "data"
    TRAINING = "training"
    VALIDATION = "validation"
    SAFETY = "safety"
    DEPLOYMENT = "deployment"
    OPERATION = "operation"
    RETIRED = "retired"


class Kind(StrEnum):
    """What a component is."""

    MODEL = "model"
    DATASET = "dataset"
    PROMPT = "prompt"
    AGENT = "agent"
    TOOL = "tool"
    TOOL_SERVER = "tool-server"
    VECTOR_STORE = "vector-store"
    SERVICE = "service"
    GUARDRAIL = "guardrail"


class DataClass(StrEnum):
    """How sensitive data in a flow is, mildest first. `special-category` is GDPR Article 9."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"
    SPECIAL_CATEGORY = "special-category"
    SECRET = "secret"  # noqa: S105 - a class of data


PARTY = "party"
"""Stands where a component kind stands in an end of a flow that is no component: people, a company, a database."""

LABELS: Mapping[str, str] = {
    "provider": "Provider",
    "deployer": "Deployer",
    "importer": "Importer",
    "distributor": "Distributor",
    "product-manufacturer": "Product manufacturer",
    "authorised-representative": "Authorised representative",
    "none": "None of these",
    "unknown": "Unknown",
    "informs": "Informs only",
    "human-in-the-loop": "A person decides each time",
    "human-on-the-loop": "Acts under a person's watch",
    "human-out-of-the-loop": "Acts on its own",
    "internal": "Internal",
    "partners": "Partners",
    "public": "Public",
    "proposed": "Proposed",
    "active": "Active",
    "suspended": "Suspended",
    "retired": "Retired",
    "design": "Design",
    "data": "Data",
    "training": "Training",
    "validation": "Validation",
    "safety": "Safety",
    "deployment": "Deployment",
    "operation": "Operation",
    "model": "Model",
    "dataset": "Dataset",
    "prompt": "Prompt",
    "agent": "Agent",
    "tool": "Tool",
    "tool-server": "Tool server",
    "vector-store": "Vector store",
    "service": "Service",
    "guardrail": "Guardrail",
    "party": "Outside party",
    "confidential": "Confidential",
    "personal": "Personal",
    "special-category": "Special category",
    "secret": "Secret",
}
"""What a person reads for each member of the enumerations above."""


@dataclass(frozen=True, kw_only=True)
class SystemFields:
    """What a person says about a system. `name` is its identity and never changes."""

    name: str
    title: str
    purpose: str = ""
    owner: str = ""
    deputy: str = ""
    unit: str = ""
    role: Role = Role.UNKNOWN
    users_affected: str = ""
    autonomy: Autonomy = Autonomy.UNKNOWN
    exposure: Exposure = Exposure.UNKNOWN
    regions: tuple[str, ...] = ()
    status: Status = Status.PROPOSED
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class System:
    """A system as it stands in the register.

    `version` counts every change to the system, its links, flows and deployments; an edit names the version it
    was made from, so that two people cannot overwrite each other unseen.
    """

    id: str
    fields: SystemFields
    stage: Stage
    version: int
    digest: str
    created_at: datetime
    updated_at: datetime
    updated_by: str
    retired_at: datetime | None
    component_count: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.fields.name

    @property
    def title(self) -> str:
        return self.fields.title

    @property
    def subject(self) -> str:
        """The name under which Statements speak about this system."""
        return f"system:{self.fields.name}"


@dataclass(frozen=True, kw_only=True)
class ComponentFields:
    """What is said about a component whatever its version. Kind and name are its identity and never change."""

    kind: Kind
    name: str
    title: str = ""
    description: str = ""
    owner: str = ""
    supplier: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Component:
    """A component as it stands in the register, with what its versions and users add up to."""

    id: str
    fields: ComponentFields
    version: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None
    latest: str = ""
    version_count: int = 0
    system_count: int = 0
    undigested: int = 0

    @property
    def kind(self) -> Kind:
        return self.fields.kind

    @property
    def name(self) -> str:
        return self.fields.name

    @property
    def subject(self) -> str:
        return f"{self.fields.kind}:{self.fields.name}"


@dataclass(frozen=True, kw_only=True)
class VersionFields:
    """What is said about one version of a component. `digest` is 64 lower-case hex digits of sha256, or empty."""

    version: str
    digest: str = ""
    source: str = ""
    licence: str = ""
    released_at: datetime | None = None
    notes: str = ""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of one component.

    `described` is true where no digest of the bytes is known: `identity` is then the digest of the description,
    which binds what was said and not what runs.
    """

    id: str
    component_id: str
    kind: Kind
    name: str
    fields: VersionFields
    identity: str
    row_version: int
    created_at: datetime
    retired_at: datetime | None
    title: str = ""
    supplier: str = ""
    tags: tuple[str, ...] = ()
    system_count: int = 0

    @property
    def described(self) -> bool:
        return not self.fields.digest

    @property
    def subject(self) -> str:
        return f"{self.kind}:{self.name}@{self.fields.version}"


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a flow: a component of the system (kind and name, whatever version), or an outside party."""

    kind: str
    name: str

    @property
    def ref(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def outside(self) -> bool:
        return self.kind == PARTY


@dataclass(frozen=True, kw_only=True)
class FlowFields:
    """What is said about a flow. `data` is in the order of sensitivity."""

    source: End
    target: End
    data: tuple[DataClass, ...]
    purpose: str = ""
    crosses_boundary: bool = False
    encrypted: bool = False


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A flow of a system."""

    id: str
    fields: FlowFields


@dataclass(frozen=True, kw_only=True)
class EnvironmentFields:
    """A place where versions of a system run. Its name is unique within the system."""

    name: str
    region: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment of a system."""

    id: str
    fields: EnvironmentFields


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A version running in an environment, or one that ran there until `ended_at`."""

    id: str
    environment: str
    version_id: str
    ref: str
    deployed_at: datetime
    ended_at: datetime | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SystemDetail:
    """Everything the register holds about one system, read in a constant number of statements."""

    system: System
    components: tuple[Version, ...]
    flows: tuple[Flow, ...]
    environments: tuple[Environment, ...]
    deployments: tuple[Deployment, ...]


@dataclass(frozen=True)
class Change:
    """One field that differs, as the history shows it."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` is None on the last page; `total` counts all pages."""

    items: tuple[T, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, kw_only=True)
class SystemFilter:
    """What a list of systems is narrowed to. Empty means not narrowed."""

    q: str = ""
    status: str = ""
    owner: str = ""
    unit: str = ""
    role: str = ""
    exposure: str = ""
    kind: str = ""
    region: str = ""
    stage: str = ""
    tag: str = ""
    gap: str = ""
    sort: str = "title"
    descending: bool = False

    @property
    def narrowed(self) -> bool:
        return any(
            (
                self.q,
                self.status,
                self.owner,
                self.unit,
                self.role,
                self.exposure,
                self.kind,
                self.region,
                self.stage,
                self.tag,
                self.gap,
            )
        )


@dataclass(frozen=True, kw_only=True)
class ComponentFilter:
    """What a list of components is narrowed to. Empty means not narrowed."""

    q: str = ""
    kind: str = ""
    owner: str = ""
    gap: str = ""
    sort: str = "name"
    descending: bool = False

    @property
    def narrowed(self) -> bool:
        return any((self.q, self.kind, self.owner, self.gap))
