"""Looking at an Application without waking Argo CD."""

from bot.adapters.argocd.application import Application, same_repository
from bot.domain.inspection import ApplicationSeen


def seen(name: str, application: Application, repository_url: str) -> ApplicationSeen:
    """The facts of an Application document. Pure."""
    hydrator = application.spec.source_hydrator
    sources = application.sources or ((hydrator.dry_source,) if hydrator is not None else ())
    told = tuple((source.repo_url, source.target_revision) for source in sources)
    return ApplicationSeen(
        name=name,
        automated=application.spec.automated,
        sources=told,
        follows_repository=any(same_repository(url, repository_url) for url, _ in told),
        conditions=tuple(
            f"{each.type}: {each.message}" for each in application.status.conditions if "Error" in each.type
        ),
    )
