"""Long options of command lines: whether one takes the element behind it as its value."""

from __future__ import annotations

import re

_LONG = re.compile(r"--[A-Za-z][\w.-]+")
# Options of widespread programs that stand alone. What follows one of them is read as an operand
# or an option of its own, so a value there is as free as at the end of the line.
_WORDS = """
abbrev-ref abort all allow-empty amend assume-yes autostash bare batch cached check compress
compressed continue create-dirs debug delete delete-after dereference detach dry-run enable
end-of-options exclude-standard exit-code extract fail ff-only files-with-matches first-parent
fix fixed-strings follow force force-with-lease full get-all global graph hard head headless
help hidden human-readable ignore-case ignore-missing ignored in-place include-untracked init
insecure install interactive is-inside-work-tree json keep latest line-number list local
location location-trusted long make-directories mirror name-only name-status non-interactive now
null numeric numstat offline oneline overwrite patch plain porcelain preserve prettify pretty
print privileged production progress prune purge quick quiet raw rebase recurse-submodules
recursive remove reset restart reverse rm save save-dev save-exact save-optional save-peer
set-upstream shallow short shortstat show show-all show-current show-toplevel silent
single-branch soft squash staged stat stdin stdout strict strip submodules symbolic-full-name
system tags text tls tree tty unset unshallow untracked update upgrade user verbose verify
version wait watch workspaces write yes
"""
_ALONE = frozenset(_WORDS.split())


def takes_value(text: object) -> bool:
    """Whether what stands behind this element is its value, whatever it begins with."""
    return (
        isinstance(text, str)
        and _LONG.fullmatch(text) is not None
        and not text.startswith("--no-")
        and text[2:] not in _ALONE
    )
