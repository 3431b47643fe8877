"""Settings that all trained steps share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from morpholaw.config.step import StepConfig

Device = Literal["auto", "cpu", "cuda", "mps"]


class TrainingConfig(StepConfig):
    """Settings that all trained steps share."""

    seed: int = Field(0, ge=0, description="Seed of every random choice in this step.")
    device: Device = Field("auto", description="Where to compute: CUDA, else Apple's MPS, else the CPU.")
