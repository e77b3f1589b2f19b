"""Every way a command can refuse, in one tree.

An error here is a sentence for a person: what was asked, what was found, and (in `hint`) what to try. Where
Docker has words for it, the words are Docker's. Faces print the sentence and exit with `exit_code`; no traceback
reaches a user.

    ImageLabError
    ├── ReferenceSyntaxError       the text is not a legal image name
    ├── UsageError                 the command line itself is wrong
    ├── InvalidFilterError         an unknown filter, or a value it does not take
    ├── TemplateError              a --format template that does not parse or does not run
    ├── NotFoundError
    │   ├── ImageNotFoundError
    │   └── BlobNotFoundError
    ├── ConflictError              the image is in use: by a child, a tag, a container
    ├── DigestMismatchError        the bytes are not the bytes that were promised
    ├── ManifestError              a manifest, index or config that is not what the format says
    ├── LayerFormatError           a layer that is not a tar, or a tar no image may hold
    ├── ArchiveError               a file that holds no images, or damaged ones
    ├── RegistryError              what the registry answered
    │   ├── AuthenticationError
    │   └── UnreachableError       no answer came
    └── StoreError                 the lab's own directory: full, read-only, newer than this program, damaged

Docker prints an error differently by where it arose (R2.20): the daemon's are prefixed with
`Error response from daemon: `, the client's are not, and once progress has been shown a daemon's error is printed
bare as well. `origin` says which: `"daemon"`, `"client"` or `"stream"`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, Self

    Origin = Literal["daemon", "client", "stream"]


class ImageLabError(Exception):
    """The root. `str(error)` is the sentence; `hint` is what to try ("" if nothing helps)."""

    exit_code = 1
    origin: Origin = "daemon"

    def __init__(
        self, message: str, *, hint: str = "", origin: Origin | None = None, exit_code: int | None = None
    ) -> None:
        super().__init__(message)
        self.hint = hint
        if origin is not None:
            self.origin = origin
        if exit_code is not None:
            self.exit_code = exit_code

    def from_(self, origin: Origin, *, hint: str | None = None, exit_code: int | None = None) -> Self:
        """The same error, as it is printed and ends when it arises there."""
        error = type(self).__new__(type(self), *self.args)
        error.__dict__ |= {**vars(self), "origin": origin, "hint": self.hint if hint is None else hint}
        error.__dict__ |= {} if exit_code is None else {"exit_code": exit_code}
        return error


class ReferenceSyntaxError(ImageLabError):
    """Not a legal image name (R1.14, R1.15). Raised by the client before anything is asked.

    `text` is the name as typed and `cause` the reason alone: older Dockers framed them differently.
    """

    origin: Origin = "client"

    def __init__(
        self, message: str, *, hint: str = "", origin: Origin | None = None, text: str = "", cause: str = ""
    ) -> None:
        super().__init__(message, hint=hint, origin=origin)
        self.text, self.cause = text, cause


class UsageError(ImageLabError):
    """The command line is wrong; the face adds the usage lines (R6.20). Bad flags exit 125, wrong counts 1."""

    origin: Origin = "client"


class InvalidFilterError(ImageLabError):
    """`invalid filter 'foo'` (R3.20), `invalid filter 'dangling=[foo]'` (R3.21)."""


class TemplateError(ImageLabError):
    """`template parsing error: template: :1: …` (R4.7)."""

    origin: Origin = "client"


class NotFoundError(ImageLabError):
    """What was named is not here."""


class ImageNotFoundError(NotFoundError):
    """`No such image: foo:latest` (R1.22)."""


class BlobNotFoundError(NotFoundError):
    """A digest the store does not hold."""


class ConflictError(ImageLabError):
    """`conflict: …` (R5.10). `container` is the ID of the one in the way, where older Dockers named it."""

    container = ""


class DigestMismatchError(ImageLabError):
    """The bytes hash to something other than was asked for; both digests are named, and nothing is kept."""


class ManifestError(ImageLabError):
    """JSON that does not parse, a schema that does not hold, an unknown media type."""


class LayerFormatError(ImageLabError):
    """Not a tar, a truncated one, a path that leaves the root, a bare `.wh.`, a foreign layer."""


class ArchiveError(ImageLabError):
    """Not an archive of images, a truncated one, one that lies about what it holds. Docker says so in its stream (R6.48)."""

    origin: Origin = "stream"


class RegistryError(ImageLabError):
    """What a registry answered. `code` is its own word (`MANIFEST_UNKNOWN`), `status` the HTTP status."""

    def __init__(
        self, message: str, *, code: str = "UNKNOWN", status: int = 0, hint: str = "", origin: Origin | None = None
    ) -> None:
        super().__init__(message, hint=hint, origin=origin)
        self.code = code
        self.status = status


class AuthenticationError(RegistryError):
    """The registry wants credentials, or refuses those it was given."""


class UnreachableError(RegistryError):
    """No answer: no network, no such host, a refused or broken connection."""


class StoreError(ImageLabError):
    """The lab's directory cannot be used as it is: full disk, read-only, made by a newer version, damaged."""
