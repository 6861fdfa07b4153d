"""Whether sync windows let an Application sync by itself now. Pure.

As Argo CD decides: an active deny window closes; otherwise an active allow window opens; otherwise an allow
window that is not active closes; without windows it is open.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from croniter import croniter
from pydantic import Field

from bot.adapters.argocd.application import Application, Part
from bot.domain.units import parse_duration


class Window(Part):
    """One entry of `spec.syncWindows`."""

    kind: str = "allow"
    schedule: str = ""
    duration: str = "0s"
    applications: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    time_zone: str = ""
    and_operator: bool = False

    def concerns(self, application: Application) -> bool:
        place = application.spec.destination
        answers = [
            _matches(patterns, names)
            for patterns, names in (
                (self.applications, (application.metadata.name,)),
                (self.namespaces, (place.namespace,)),
                (self.clusters, (place.server, place.name)),
            )
            if patterns
        ]
        return bool(answers) and (all(answers) if self.and_operator else any(answers))

    def active(self, now: datetime) -> bool:
        """Raises ValueError for a schedule, duration or zone that is none."""
        try:
            zone = ZoneInfo(self.time_zone or "UTC")
            began = croniter(self.schedule, now.astimezone(zone) + timedelta(seconds=1)).get_prev(datetime)
        except (KeyError, OSError) as error:
            raise ValueError(f"{self.time_zone} is no time zone") from error
        return bool(began <= now < began + parse_duration(self.duration))


class ProjectSpec(Part):
    sync_windows: tuple[Window, ...] = ()


class Project(Part):
    """One AppProject."""

    spec: ProjectSpec = Field(default=ProjectSpec())


def can_sync(project: Project, application: Application, now: datetime) -> bool:
    """Raises ValueError where a window cannot be read."""
    windows = [window for window in project.spec.sync_windows if window.concerns(application)]
    return _open([window for window in windows if window.active(now)], windows)


class ToldWindows(Part):
    """The answer of `GET /api/v1/applications/{name}/syncwindows`; its `canSync` is about syncs by hand."""

    can_sync: bool | None = None
    active_windows: tuple[Window, ...] | None = None
    assigned_windows: tuple[Window, ...] | None = None

    @property
    def open(self) -> bool:
        """What keeps a person from syncing keeps Argo CD from it too, but a window with `manualSync` keeps
        only Argo CD.
        """
        return self.can_sync is not False and _open(self.active_windows or (), self.assigned_windows or ())


def _open(active: Iterable[Window], assigned: Iterable[Window]) -> bool:
    kinds = {window.kind for window in active}
    if kinds:
        return "deny" not in kinds
    return all(window.kind == "deny" for window in assigned)


def _matches(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names if name for pattern in patterns)
