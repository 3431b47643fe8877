"""One investigation is one folder, and everything a person does is a call on a Study."""

from morpholaw.study.study import Study

__all__ = ["Study"]
