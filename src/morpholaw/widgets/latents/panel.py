"""The Latents panel: train or load the encoder, see what each latent looks like, and name latents."""

from __future__ import annotations

from typing import Any

from morpholaw.widgets.forms.tabs_and_sections import PanelTabs, add_tab
from morpholaw.widgets.latents.encoder_panel import EncoderPanel
from morpholaw.widgets.latents.traversal_panel import TraversalPanel
from morpholaw.widgets.study.study_widget import StudyWidget


class LatentsWidget(StudyWidget):
    """The encoder of the current study (paper, 5.1 and 6.1).

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    encoder : EncoderPanel
        Training and loading.
    traversals : TraversalPanel
        Sliders, grid and names.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.encoder = EncoderPanel(self.current, self.error_line)
        self.traversals = TraversalPanel(self.viewer, self.current, self.error_line)
        self.tabs = PanelTabs(self.scroll_area)
        add_tab(
            self.tabs,
            self.encoder,
            "Encoder",
            "Train or load the encoder, which describes a cell by latents.",
        )
        add_tab(
            self.tabs, self.traversals, "Traversals", "See what each latent changes in a cell, and name it."
        )
        self.tabs.currentChanged.connect(self._show_tab)
        self.body.addWidget(self.tabs)
        self._stale = True
        self.listen(self.current.encoder_changed, self._encoder_changed)
        self.listen(self.current.crops_changed, self._crops_changed)
        self.listen(self.current.names_changed, self._names_changed)
        self.listen(self.current.selection_changed, self._selection_changed)
        self._show_study()

    def _show_study(self) -> None:
        super()._show_study()
        self.encoder.show_study()
        self._reload()

    def _encoder_changed(self) -> None:
        self.encoder.show_state()
        self._reload()

    def _crops_changed(self) -> None:
        self._reload()

    def _names_changed(self) -> None:
        self.traversals.show_names()

    def _selection_changed(self, _: list[int]) -> None:
        self.traversals.selection_changed()

    def _reload(self) -> None:
        """Read the latents again when their tab is shown; until then torch is not loaded."""
        self._stale = True
        self._show_tab()

    def _show_tab(self, *_: Any) -> None:
        if self._stale and self.tabs.currentWidget() is self.traversals:
            self._stale = False
            self.traversals.load()
