"""Under which address an Application follows the repository: perhaps still the one it had before."""

from bot.adapters.argocd.application import Application, repository_key, same_repository
from bot.ports import Forge


def followed(application: Application, repository_url: str, forge: Forge) -> str:
    """The address of the source that is this repository; the repository's own where there is none.

    Git follows a renamed repository, and so does Argo CD: its Application need not be changed for a
    promotion that is under way. The forge is asked only where no source has today's name.
    """
    addresses = [source.repo_url for source in application.followed]
    if any(same_repository(address, repository_url) for address in addresses):
        return repository_url
    host, _ = repository_key(repository_url)
    for address in addresses:
        at, path = repository_key(address)
        if at == host and path.count("/") == 1 and forge.was_called(path):
            return address
    return repository_url
