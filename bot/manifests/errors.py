"""Why a pin was not read or changed.

    BumpError
      NotParsable         not_parsable        the file is no YAML that everyone reads alike
      NotFound            not_found           nothing stands where the target points
      Ambiguous           ambiguous           several places fit
      SharedAnchor        shared_anchor       the scalar serves other places too, by an alias or merge key
      UnsupportedScalar   unsupported_scalar  the scalar, or the new value, cannot be written in place
      Stale               stale               something else is pinned than was expected
      BadReference        bad_reference       the pin does not fit: no image reference, or a part is missing
      TooLarge            too_large           the file is over the cap
      VerifyFailed        verify_failed       reading the result again did not show exactly the change

`code` is stable and for programs, the message is for the person who has to act. Nothing was changed
when one of these is raised.
"""

from typing import ClassVar


class BumpError(Exception):
    """A pin was not read or changed, and nothing was written."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotParsable(BumpError):
    code = "not_parsable"


class NotFound(BumpError):
    code = "not_found"


class Ambiguous(BumpError):
    code = "ambiguous"


class SharedAnchor(BumpError):
    code = "shared_anchor"


class UnsupportedScalar(BumpError):
    code = "unsupported_scalar"


class Stale(BumpError):
    code = "stale"


class BadReference(BumpError):
    code = "bad_reference"


class TooLarge(BumpError):
    code = "too_large"


class VerifyFailed(BumpError):
    code = "verify_failed"
