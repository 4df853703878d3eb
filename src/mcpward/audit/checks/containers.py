"""Rules about the containers that servers run in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Severity
from mcpward.core.late import late
from mcpward.documents.commands import compose_services, runs_fetched_script
from mcpward.documents.dockerfile import Instruction, Stage, final_stages, instructions
from mcpward.documents.launches import docker_options, image_floats, program
from mcpward.documents.tree import Array, Document, Format, Node, Scalar, Table

_UNPRIVILEGED_IMAGE = late(r"nonroot|cgr\.dev/|rootless|unprivileged|^scratch$", re.IGNORECASE)
_ROOT = late(r"(?:root|0)(?::.*)?")
_SOCKET = late(r"/(?:var/)?run/(?:docker|podman|containerd)[\w./-]*\.sock")
_WIDE_CAPABILITIES = frozenset({"ALL", "SYS_ADMIN", "CAP_SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE"})
_DROPS = late(r"\b(?:gosu|su-exec|setpriv|runuser|s6-setuidgid)\b")
_HOST_ROOT = "/"
_DEVELOPMENT = late(r"(?:^|/)\.devcontainer/|[.-]dev(?:elopment)?$|/dev\.|^dev\.", re.IGNORECASE)
"""Images that only those who work on the project run."""


def unhardened_container(subject: Subject) -> Iterator[Sighting]:
    """Images and containers with more rights than a server needs."""
    for path, document in subject.documents.items():
        if document.format is Format.DOCKERFILE and not _DEVELOPMENT.search(document.path):
            yield from _image(document)
        for name, service in compose_services(document):
            yield from _service(document, name, service)
        for server in subject.servers[path]:
            words = server.words
            is_container = words and program(words[0]) in ("docker", "podman", "nerdctl")
            if server.disabled or not is_container or "run" not in words[1:3]:
                continue
            for option, value, at in docker_options(words, words.index("run") + 1):
                if seen := _option(option, value):
                    node = server.args[at - 1] if 0 < at <= len(server.args) else server.node
                    yield _seen(document, server.name, node, *seen)


# ---- images --------------------------------------------------------------------------------------


def _image(document: Document) -> Iterator[Sighting]:
    stages = tuple(final_stages(document))
    if not stages or not _starts(stages):
        return
    if (user := _user(stages)) is None or _ROOT.fullmatch(user.value.strip()):
        node = user.node if user else stages[0].instructions[0].node
        detail = "the image runs as root" if user else "the image sets no user, so it runs as root"
        yield Sighting(document.place(node), detail)
    base = stages[-1]
    if "$" not in base.image and base.image != "scratch" and image_floats(base.image):
        detail = f"the base image `{base.image[:120]}` has no version"
        yield Sighting(document.place(base.instructions[0].node), detail)
    if fetched := [one for one in instructions(document) if _runs_fetched(one)]:
        times = f" {len(fetched)} times" if len(fetched) > 1 else ""
        detail = f"the build downloads a script and gives it to a shell{times}"
        yield Sighting(document.place(fetched[0].node), detail)
    for one in instructions(document):
        if one.name == "ADD" and _adds_unchecked(one):
            detail = "the build adds a file from an address without its checksum"
            yield Sighting(document.place(one.node), detail)


def _starts(stages: tuple[Stage, ...]) -> bool:
    return any(one.name in ("CMD", "ENTRYPOINT") for stage in stages for one in stage.instructions)


def _user(stages: tuple[Stage, ...]) -> Instruction | None:
    """The last `USER` of what the image is made from; a made-up one where it cannot be root."""
    for stage in stages:
        for one in reversed(stage.instructions):
            if one.name == "USER":
                return one
            if one.name in ("ENTRYPOINT", "CMD") and _DROPS.search(one.value):
                return Instruction("USER", (), "dropped at start", (), one.node)
    base = stages[-1]
    if _UNPRIVILEGED_IMAGE.search(base.image) or "$" in base.image:
        return Instruction("USER", (), "of the base image", (), base.instructions[0].node)
    return None


def _runs_fetched(one: Instruction) -> bool:
    return one.name == "RUN" and any(map(runs_fetched_script, (one.value, *one.heredocs)))


def _adds_unchecked(one: Instruction) -> bool:
    has_checksum = any(name == "checksum" for name, _ in one.flags)
    return not has_checksum and one.value.startswith(("http://", "https://"))


# ---- containers ----------------------------------------------------------------------------------

_Seen = tuple[str, Severity, Confidence]


def _service(document: Document, name: str, service: Table) -> Iterator[Sighting]:
    if (flag := service.get("privileged")) and isinstance(flag, Scalar) and flag.value is True:
        yield _seen(document, name, flag, *_privileged())
    for key in ("network_mode", "pid", "ipc"):
        if service.text(key) == "host" and (node := service.get(key)) is not None:
            yield _seen(document, name, node, *_shared(key.partition("_")[0]))
    for item in _items(service.get("cap_add")):
        if isinstance(item, Scalar) and item.text.upper() in _WIDE_CAPABILITIES:
            yield _seen(document, name, item, *_capability(item.text))
    for item in _items(service.get("volumes")):
        source = item.text("source") if isinstance(item, Table) else _source(item)
        if found := _mount(source, read_only=_is_read_only(item)):
            yield _seen(document, name, item, *found)


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Array) else ()


def _is_read_only(node: Node) -> bool:
    match node:
        case Table():
            flag = node.get("read_only")
            return isinstance(flag, Scalar) and flag.value is True
        case Scalar():
            return "ro" in node.text.rpartition(":")[2].split(",")
        case _:
            return False


def _source(node: Node) -> str:
    return node.text.partition(":")[0] if isinstance(node, Scalar) and ":" in node.text else ""


def _option(name: str, value: str) -> _Seen | None:
    match name:
        case "--privileged" if value.lower() != "false":
            return _privileged()
        case "--network" | "--net" | "--pid" | "--ipc" if value == "host":
            return _shared("network" if "net" in name else name.lstrip("-"))
        case "--cap-add" if value.upper() in _WIDE_CAPABILITIES:
            return _capability(value)
        case "-v" | "--volume":
            found = _mount(value.partition(":")[0])
            # The whole disk is told by the rule about file servers.
            return found if found and value.partition(":")[0] != _HOST_ROOT else None
        case "--mount":
            pairs = dict(part.partition("=")[::2] for part in value.split(","))
            source = pairs.get("source", pairs.get("src", ""))
            return _mount(source) if source != _HOST_ROOT else None
        case _:
            return None


def _privileged() -> _Seen:
    return "is privileged: it controls the machine", Severity.HIGH, Confidence.HIGH


def _shared(what: str) -> _Seen:
    return f"shares the {what} of the machine", Severity.MEDIUM, Confidence.HIGH


def _capability(name: str) -> _Seen:
    return f"gains the capability `{name[:40]}`", Severity.HIGH, Confidence.HIGH


def _mount(source: str, *, read_only: bool = False) -> _Seen | None:
    if _SOCKET.fullmatch(source):
        # Some servers exist to manage containers.
        return "is given the socket of the container engine", Severity.HIGH, Confidence.MEDIUM
    if source == _HOST_ROOT and read_only:
        return "can read the whole disk", Severity.MEDIUM, Confidence.HIGH
    if source == _HOST_ROOT:
        return "is given the whole disk", Severity.HIGH, Confidence.HIGH
    return None


def _seen(
    document: Document, name: str, node: Node, what: str, level: Severity, confidence: Confidence
) -> Sighting:
    return Sighting(
        document.place(node),
        f"the container of `{name[:60]}` {what}",
        level,
        confidence,
        adjustments=("it reaches beyond its container",),
    )
