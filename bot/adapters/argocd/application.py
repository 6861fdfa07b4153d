"""What we read of an Argo CD Application document; everything else in it is ignored."""

import re
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """A part of a document of Argo CD's; keys as in Go."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Metadata(Part):
    name: str = ""
    deletion_timestamp: datetime | None = None


class Source(Part):
    repo_url: str = Field(default="", alias="repoURL")
    target_revision: str = ""


class SourceHydrator(Part):
    dry_source: Source = Source()


class Automated(Part):
    enabled: bool = True


class SyncPolicy(Part):
    automated: Automated | None = None


class Destination(Part):
    server: str = ""
    name: str = ""
    namespace: str = ""


class Spec(Part):
    project: str = "default"
    destination: Destination = Destination()
    source: Source | None = None
    sources: tuple[Source, ...] = ()
    source_hydrator: SourceHydrator | None = None
    sync_policy: SyncPolicy = SyncPolicy()

    @property
    def automated(self) -> bool:
        return self.sync_policy.automated is not None and self.sync_policy.automated.enabled


class SyncStatus(Part):
    status: str = "Unknown"
    revision: str = ""
    revisions: tuple[str, ...] = ()


class Health(Part):
    status: str = "Unknown"
    message: str = ""
    last_transition_time: datetime | None = None


class Revisions(Part):
    """`revision` of a single source, `revisions` of several, in the order of `spec.sources`."""

    revision: str = ""
    revisions: tuple[str, ...] = ()


class Operation(Part):
    sync: Revisions | None = None


class OperationState(Part):
    phase: str = ""
    message: str = ""
    finished_at: datetime | None = None
    operation: Operation = Operation()
    sync_result: Revisions | None = None
    retry_count: int = 0


class Condition(Part):
    type: str = ""
    message: str = ""


class HistoryEntry(Revisions):
    deployed_at: datetime | None = None


class Hydration(Part):
    phase: str = ""
    message: str = ""
    dry_sha: str = Field(default="", alias="drySHA")
    hydrated_sha: str = Field(default="", alias="hydratedSHA")


class HydratorStatus(Part):
    current_operation: Hydration | None = None
    last_successful_operation: Hydration | None = None


class Status(Part):
    sync: SyncStatus = SyncStatus()
    health: Health = Health()
    reconciled_at: datetime | None = None
    operation_state: OperationState | None = None
    conditions: tuple[Condition, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    source_hydrator: HydratorStatus = HydratorStatus()


class Application(Part):
    """One Application, as `GET /api/v1/applications/{name}` and Kubernetes show it."""

    metadata: Metadata = Metadata()
    spec: Spec = Spec()
    status: Status = Status()
    operation: dict[str, Any] | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """All sources that are rendered, in the order of `status.sync.revisions`."""
        if self.spec.sources:
            return self.spec.sources
        return (self.spec.source,) if self.spec.source is not None else ()

    @property
    def followed(self) -> tuple[Source, ...]:
        """All sources whose commits decide: what is rendered, or what the hydrator renders from."""
        hydrator = self.spec.source_hydrator
        return (hydrator.dry_source,) if hydrator is not None else self.sources

    def revisions_from(self, found: Revisions | SyncStatus, repository_url: str) -> tuple[str, ...]:
        """Of the revisions that `found` names, those of the sources that are this repository."""
        if not self.spec.sources:
            return (found.revision,) if found.revision else ()
        of_each_source = zip(self.spec.sources, found.revisions, strict=False)
        return tuple(
            revision
            for source, revision in of_each_source
            if revision and same_repository(source.repo_url, repository_url)
        )


_SCP_LIKE = re.compile(r"(?:[^@/]+@)?([^:/]+):(?!//)(.+)")


def same_repository(one: str, other: str) -> bool:
    """Whether two addresses (https, ssh, scp-like; with or without `.git`) name one repository."""
    return repository_key(one) == repository_key(other)


def repository_key(url: str) -> tuple[str, str]:
    """(host, path), both in lower case: Argo CD compares them so."""
    url = url.strip().lower()
    if "://" in url:
        rest = url.split("://", 1)[1]
        host, _, path = rest.partition("/")
        host = host.rpartition("@")[2]
        scheme = url.split("://", 1)[0]
        host = host.partition(":")[0] if scheme == "ssh" else host
    elif scp_like := _SCP_LIKE.fullmatch(url):
        host, path = scp_like.groups()
    else:
        host, path = "", url
    return host, path.strip("/").removesuffix(".git")
