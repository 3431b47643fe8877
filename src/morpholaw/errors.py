"""Error types of Morpholaw, whose messages are sentences that a user can act on."""

from __future__ import annotations

import errno


class MorpholawError(Exception):
    """Base class of all errors that Morpholaw raises intentionally.

    The message is one sentence that says what is wrong, in which file or field, and what to do. The command prints it
    and exits with status 2; the widgets show it beside the field.
    """


class InputError(MorpholawError, ValueError):
    """Input that cannot be used: a file, a setting or a combination of them. Trying again does not help."""


class NotChosenError(InputError):
    """A file of several channels, positions or slices, of which none was chosen."""


class SettingError(InputError):
    """A setting that is out of range, of the wrong type or unknown.

    Attributes
    ----------
    setting : str
        Name of the setting; "" if the message is about several settings.
    """

    def __init__(self, sentence: str, setting: str = "") -> None:
        super().__init__(sentence)
        self.setting = setting


class StudyLockedError(MorpholawError):
    """Another process is working on the study. Trying again later helps."""


class StudyGoneError(MorpholawError):
    """The study's folder was moved or deleted."""


class NoSpaceError(MorpholawError):
    """A file cannot be written because the disk is full or the quota is used up."""


class StepFailedError(MorpholawError):
    """A step in a separate process crashed, was killed or ran out of memory."""


def reason(error: BaseException) -> str:
    """Return the first line of a library's message, or the type of the error, for the end of a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        InputError,
        StudyLockedError,
        StudyGoneError,
        NoSpaceError,
        StepFailedError,
        InterruptedError,
    )
}
"""Error types that are passed between processes, by name."""


def kind_of(error: BaseException) -> str:
    """Return the name of an error's type, for :func:`error_of_kind` in another process."""
    return next((name for name, kind in _KINDS.items() if isinstance(error, kind)), "StepFailedError")


def error_of_kind(name: str, sentence: str) -> Exception:
    """Return an error of the type named by :func:`kind_of`; StepFailedError for unknown names."""
    return _KINDS.get(name, StepFailedError)(sentence)


def file_error(sentence: str, error: OSError) -> MorpholawError:
    """Return the error for a file that cannot be read or written.

    Parameters
    ----------
    sentence : str
        What failed and where, without a full stop: "The report cannot be written to out.html".
    error : OSError
        Error of the operating system, whose message is appended to the sentence.

    Returns
    -------
    MorpholawError
        NoSpaceError if the disk is full or the quota is used up, else InputError.
    """
    kind = NoSpaceError if error.errno in (errno.ENOSPC, errno.EDQUOT) else InputError
    return kind(f"{sentence}: {error.strerror or error}.")
