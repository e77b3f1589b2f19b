"""What a person types to name an image, and what it stands for.

The grammar, whole string, nothing before or after (R1.1-R1.6):

    reference   = name [ ":" tag ] [ "@" digest ]
    name        = [ domain "/" ] path
    path        = component *( "/" component )
    component   = alphanumeric *( separator alphanumeric )         alphanumeric = 1*[a-z0-9]
    separator   = "." | "_" | "__" | 1*"-"
    domain      = host [ ":" port ]
    host        = label *( "." label ) | "[" ipv6 "]"
    tag         = [A-Za-z0-9_] *127[A-Za-z0-9_.-]
    digest      = algorithm ":" 32*hex

Two forms of every name. The *canonical* form is complete: `docker.io/library/ubuntu:14.04`. The *familiar* form drops
what goes without saying: `ubuntu:14.04`. People type familiar names, and every listing prints them; the store knows
only canonical ones.

The first part of a name is a registry only if it looks like a host: it has a `.` or a `:`, an upper-case letter, or
is `localhost`. Otherwise the registry is docker.io, and a path of one word gets `library/` in front (R1.8-R1.10).

>>> str(Reference.parse("ubuntu:14.04"))
'docker.io/library/ubuntu:14.04'
>>> Reference.parse("localhost:5000/me/app").domain
'localhost:5000'
>>> Reference.parse("localhost:5000").familiar()        # no slash: never a host
'localhost:5000'
>>> familiar("docker.io/library/a/b")
'library/a/b'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from imagelab.errors import ImageLabError, ReferenceSyntaxError, UsageError
from imagelab.oci.digest import Digest

DEFAULT_DOMAIN = "docker.io"
LONGEST_PATH = 255

# -- the grammar, atom by atom ----------------------------------------------------------------------------------

alphanumeric = r"[a-z0-9]+"
separator = r"(?:[._]|__|-+)"
component = rf"{alphanumeric}(?:{separator}{alphanumeric})*"
path = rf"{component}(?:/{component})*"
label = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
host = rf"(?:{label}(?:\.{label})*|\[(?:[a-fA-F0-9:]+)\])"
domain = rf"{host}(?::[0-9]+)?"
tag = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
digest = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"

_REFERENCE = re.compile(rf"(?:(?P<domain>{domain})/)?(?P<path>{path})(?::(?P<tag>{tag}))?(?:@(?P<digest>{digest}))?")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A name taken apart. `tag` and `digest` are None when they were not given: `latest` is not assumed.

    `Reference.parse(str(ref)) == ref`, always. The familiar form can be typed again too, unless what it drops was
    needed: `docker.io/localhost/x` is printed, as Docker prints it, `localhost/x`, which names another registry.
    """

    domain: str
    path: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """What a person typed, normalised. Raises ReferenceSyntaxError with Docker's words (R1.7-R1.15).

        >>> for typed in ("ubuntu", "me/app:2", "localhost/app", "localhost:5000"):
        ...     print(Reference.parse(typed))
        docker.io/library/ubuntu
        docker.io/me/app:2
        localhost/app
        docker.io/library/localhost:5000
        >>> Reference.parse("Ubuntu")
        Traceback (most recent call last):
        imagelab.errors.ReferenceSyntaxError: invalid reference format: repository name (library/Ubuntu) must be lowercase
        """
        if _IDENTIFIER.fullmatch(text):
            raise _refused(text, f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
        registry, rest = _split_domain(text)
        name = rest.partition(":")[0]
        if name != name.lower():
            raise _refused(text, f"invalid reference format: repository name ({name}) must be lowercase")
        match = _REFERENCE.fullmatch(f"{registry}/{rest}")
        if match is None and _REFERENCE.fullmatch(f"{registry}/{rest}".lower()):
            raise _refused(text, "repository name must be lowercase")  # `X_y/foo`: neither a host nor a path
        if match is None or match["domain"] != registry:
            raise _refused(text, "invalid reference format")
        if len(match["path"]) > LONGEST_PATH:
            raise _refused(text, "repository name must not be more than 255 characters")
        return cls(registry, match["path"], match["tag"], _digest(text, match["digest"]))

    @classmethod
    def canonical(cls, text: str) -> Reference:
        """A reference from its own `str()`: split, not checked."""
        name, _, digest_text = text.partition("@")
        head, colon, tail = name.rpartition(":")
        tagged = bool(colon) and "/" not in tail
        registry, _, rest = (head if tagged else name).partition("/")
        return cls(registry, rest, tail if tagged else None, Digest.trusted(digest_text) if digest_text else None)

    @property
    def repository(self) -> str:
        """Domain and path: a set of manifests."""
        return f"{self.domain}/{self.path}"

    def familiar_name(self) -> str:
        """The repository as people write it: `ubuntu`, `me/app`, `localhost:5000/x` (R1.13)."""
        return familiar(self.repository)

    def familiar(self) -> str:
        """The whole reference as people write it: `ubuntu:14.04`."""
        return familiar(str(self))

    def with_tag(self, tag: str) -> Reference:
        """The same repository under another tag."""
        return replace(self, tag=tag)

    def with_digest(self, digest: Digest | None) -> Reference:
        """The same name with another digest, or with none."""
        return replace(self, digest=digest)

    def with_default_tag(self) -> Reference:
        """`:latest`, if there is neither a tag nor a digest (R1.12)."""
        return self if self.tag or self.digest else replace(self, tag="latest")

    def name_only(self) -> Reference:
        """The repository alone."""
        return Reference(self.domain, self.path)

    def __str__(self) -> str:
        tag_part = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag_part}" + (f"@{self.digest}" if self.digest else "")


def familiar(canonical: str) -> str:
    """The familiar form of a canonical text, name or whole reference (R1.13).

    >>> familiar("docker.io/library/ubuntu:14.04"), familiar("docker.io/me/app"), familiar("ghcr.io/me/app")
    ('ubuntu:14.04', 'me/app', 'ghcr.io/me/app')
    """
    if not canonical.startswith("docker.io/"):
        return canonical
    rest = canonical[len("docker.io/") :]
    official = rest.removeprefix("library/")
    return rest if "/" in official.partition("@")[0].partition(":")[0] else official


def _split_domain(text: str) -> tuple[str, str]:
    """Which registry, and the rest with `library/` put in where it belongs (R1.8-R1.10)."""
    first, slash, rest = text.partition("/")
    is_host = slash and (first == "localhost" or "." in first or ":" in first or first != first.lower())
    registry, remainder = (first, rest) if is_host else (DEFAULT_DOMAIN, text)
    if registry == "index.docker.io":
        registry = DEFAULT_DOMAIN
    if registry == DEFAULT_DOMAIN and "/" not in remainder:
        remainder = f"library/{remainder}"
    return registry, remainder


def _digest(text: str, digest: str | None) -> Digest | None:
    """The digest part, checked as go-digest does (R1.5)."""
    if digest is None:
        return None
    algorithm, _, hexadecimal = digest.partition(":")
    lengths = {"sha256": 64, "sha384": 96, "sha512": 128}
    if algorithm not in lengths:
        raise _refused(text, "unsupported digest algorithm")
    if len(hexadecimal) != lengths[algorithm]:
        raise _refused(text, "invalid checksum digest length")
    if hexadecimal != hexadecimal.lower():
        raise _refused(text, "invalid checksum digest format")
    if algorithm != "sha256":
        raise _refused(text, "unsupported digest algorithm")
    return Digest.trusted(digest)


def _refused(text: str, cause: str) -> ReferenceSyntaxError:
    return ReferenceSyntaxError(cause, hint=_HINTS.get(cause, ""), text=text, cause=cause)


_HINTS = {
    "invalid reference format": "a name is [host/]path[:tag], lower case: ubuntu, ubuntu:14.04, localhost:5000/me/app"
}


def parse_in_daemon(text: str) -> Reference:
    """A name that reached the daemon: the same grammar, but the error is the daemon's."""
    try:
        return Reference.parse(text)
    except ReferenceSyntaxError as error:
        raise error.from_("daemon") from None


def tag_target(target: str) -> Reference:
    """The name a tag is put on, with `:latest` added. ReferenceSyntaxError, UsageError, ImageLabError for reserved ones."""
    try:
        reference = Reference.parse(target)
    except ReferenceSyntaxError as error:
        raise not_a_tag(target, error) from None
    if reference.digest:
        raise UsageError("refusing to create a tag with a digest reference")
    if reference.path.removeprefix("library/") == "sha256" and reference.domain == "docker.io":
        raise ImageLabError("refusing to create an ambiguous tag using digest algorithm as name")
    return reference.with_default_tag()


def not_a_tag(text: str, cause: ReferenceSyntaxError) -> ReferenceSyntaxError:
    """What `docker tag` says of a bad name."""
    return ReferenceSyntaxError(f'Error parsing reference: "{text}" is not a valid repository/tag: {cause}')
