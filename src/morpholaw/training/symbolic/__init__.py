"""Symbolic regression: PySR and the embedded engine behind one protocol, restarts, and refits of constants."""

from morpholaw.training.symbolic.choice import choose_engine
from morpholaw.training.symbolic.engine import (
    Availability,
    Budget,
    Candidate,
    Engine,
    SearchProgress,
    SearchResult,
    SearchSpec,
    candidate_front,
)
from morpholaw.training.symbolic.refit import Effort, refit
from morpholaw.training.symbolic.restarts import search_restarts

__all__ = [
    "Availability",
    "Budget",
    "Candidate",
    "Effort",
    "Engine",
    "SearchProgress",
    "SearchResult",
    "SearchSpec",
    "candidate_front",
    "choose_engine",
    "refit",
    "search_restarts",
]
