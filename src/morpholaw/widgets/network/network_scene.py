"""A drawing of a sparse network. Point at a connection to read its weight; click a neuron to choose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QKeyEvent, QPainter, QPainterPath, QPainterPathStroker, QPen
from qtpy.QtWidgets import (
    QGraphicsEllipseItem,
    QGraphicsLineItem,
    QGraphicsScene,
    QGraphicsSimpleTextItem,
    QGraphicsView,
)

from morpholaw.display import number
from morpholaw.interpretation.subnetworks import Neuron, SparseNetwork
from morpholaw.widgets.pictures.arrow_keys import ARROWS, next_point

Edge = tuple[int, int, int]
"""Layer, row and column of a weight, which connects neuron (layer, row) to neuron (layer + 1, column)."""

WIDTH, RISE = 360.0, 64.0
"""Smallest width of the drawing, and distance between its layers."""
RADIUS = 6.5
"""Radius of a neuron."""
WIDEST = 6.0
"""Line width of the strongest connection."""
NAMED = 44.0
"""Smallest distance between outputs with names."""
LONGEST = 5
"""Longest name of an input, in letters, that is written horizontally; longer names are slanted."""
SLANT = -40.0
"""Angle of slanted names, in degrees."""
FEW, OUTPUT_ROWS = 4, 3
"""Up to FEW names of outputs are written in one row; more names alternate between OUTPUT_ROWS rows."""
MANY = 8
"""Number of outputs above which their names are written vertically."""
BLUE, RED = {False: "#2166ac", True: "#6bb3e8"}, {False: "#b2182b", True: "#ff7a66"}
"""Colours of positive and negative weights on a light and a dark background, as in figures.style."""


def through(network: SparseNetwork, neuron: Neuron) -> set[Edge]:
    """Return the connections on all paths from the inputs to the outputs through a neuron."""
    edges: set[Edge] = set()
    for step in (network.incoming, network.outgoing):
        waiting, seen = [neuron], {neuron}
        while waiting:
            here = waiting.pop()
            for there in step(here):
                first, second = (there, here) if there[0] < here[0] else (here, there)
                edges.add((first[0], first[1], second[1]))
                if there not in seen:
                    seen.add(there)
                    waiting.append(there)
    return edges


def places(network: SparseNetwork) -> dict[Neuron, tuple[float, float]]:
    """Return positions of the connected neurons: y is the layer, and x, in [0, 1], is near the mean of the sources."""
    positions: dict[Neuron, tuple[float, float]] = {}
    for layer, width in enumerate(network.widths):
        used = [u for u in range(width) if network.incoming((layer, u)) or network.outgoing((layer, u))]
        if layer == network.depth:
            used = list(range(width))
        if layer:
            used.sort(key=lambda unit: _centre(network, (layer, unit), positions))
        for rank, unit in enumerate(used):
            positions[(layer, unit)] = ((rank + 0.5) / len(used), float(layer))
    return positions


def _centre(network: SparseNetwork, neuron: Neuron, positions: dict[Neuron, tuple[float, float]]) -> float:
    """Return the mean x of a neuron's sources, weighted by the magnitudes of the weights; 2 if it has none."""
    layer, unit = neuron
    sources = [source for source in network.incoming(neuron) if source in positions]
    weights = np.array([abs(network.weights[layer - 1][source[1], unit]) + 1e-9 for source in sources])
    return float(weights @ [positions[source][0] for source in sources] / weights.sum()) if sources else 2.0


class NetworkScene(QGraphicsScene):
    """Drawing of a network with the inputs on top: blue weights are positive, red ones negative, wide ones strong.

    Notes
    -----
    Signals: ``clicked`` (the neuron (layer, unit); None for a click beside all neurons), ``hovered`` (a sentence about
    what is under the mouse, or "").
    """

    clicked = Signal(object)
    hovered = Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.network: SparseNetwork | None = None
        self.neurons: dict[Neuron, _Node] = {}
        self.edges: dict[Edge, _Connection] = {}
        self.input_names: tuple[str, ...] = ()
        self.output_names: tuple[str, ...] = ()
        self.output_colours: tuple[str, ...] = ()
        self.dark = True
        self.chosen: Neuron | None = None
        self.upright = False

    def show_network(
        self,
        network: SparseNetwork,
        input_names: Sequence[str],
        dark: bool = True,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        """Draw a network; if it has several outputs, ``outputs`` maps their classes to colours."""
        self.clear()
        self.network, self.input_names, self.dark = network, tuple(input_names), dark
        self.output_names, self.output_colours = tuple(outputs or {}), tuple((outputs or {}).values())
        self.neurons, self.edges, self.chosen = {}, {}, None
        strongest = max(float(np.abs(w).max(initial=0)) for w in network.weights) or 1.0
        at = places(network)
        crowd = max(sum(1 for n in at if n[0] == layer) for layer in range(network.depth + 1))
        self.upright = len(self.output_names) > MANY
        named = 0.0 if self.upright else NAMED * len(self.output_names)
        width = max(WIDTH, 30.0 * crowd, named)
        points = {n: QPointF(x * width, y * RISE) for n, (x, y) in at.items()}
        for layer, mask in enumerate(network.masks):
            for row, column in np.argwhere(mask):
                edge = (layer, int(row), int(column))
                line = _Connection(
                    self, edge, points[(layer, edge[1])], points[(layer + 1, edge[2])], strongest
                )
                self.edges[edge] = line
                self.addItem(line)
        for neuron, point in points.items():
            self.neurons[neuron] = _Node(self, neuron, point)
            self.addItem(self.neurons[neuron])
        self._write(points, width)

    def highlight(self, neuron: Neuron | None) -> None:
        """Grey out everything that is not on a path through the neuron; None shows all."""
        if self.network is None:
            return
        self.chosen = neuron
        lit = set(self.edges) if neuron is None else through(self.network, neuron)
        on = {(e[0], e[1]) for e in lit} | {(e[0] + 1, e[2]) for e in lit}
        for edge, line in self.edges.items():
            line.light(edge in lit)
        for key, node in self.neurons.items():
            node.light(neuron is None or key in on or key == neuron, key == neuron)

    def called(self, neuron: Neuron) -> str:
        """Return the name of a neuron for sentences."""
        assert self.network is not None
        layer, unit = neuron
        if layer == 0:
            return self.input_names[unit]
        if layer == self.network.depth:
            return f"the output of {self.output_names[unit]}" if self.output_names else "the output"
        return f"neuron {layer}.{unit + 1}"

    def mousePressEvent(self, event: Any) -> None:
        """Choose the clicked neuron, or none."""
        super().mousePressEvent(event)
        hit = [item for item in self.items(event.scenePos()) if isinstance(item, _Node)]
        self.clicked.emit(hit[0].neuron if hit else None)

    def step(self, key: int) -> None:
        """Choose the next neuron in the direction of an arrow key, or the first one if none is chosen."""
        neurons = list(self.neurons)
        if not neurons:
            return
        places = np.array([[node.pos().x(), node.pos().y()] for node in self.neurons.values()])
        if self.chosen is None:
            self.clicked.emit(neurons[0])
            return
        nearest = next_point(places, places[neurons.index(self.chosen)], key)
        if nearest is not None:
            self.clicked.emit(neurons[nearest])

    @property
    def ink(self) -> QColor:
        """The colour of texts and neurons."""
        return QColor("#e4e6e8" if self.dark else "#222222")

    def _write(self, points: dict[Neuron, QPointF], width: float) -> None:
        """Write names above the inputs, biases beside the other neurons, and f or the classes below the outputs."""
        assert self.network is not None
        beside: dict[int, int] = {}
        longest = max((len(self.called(neuron)) for neuron in points if neuron[0] == 0), default=0)
        slanted = longest > LONGEST
        room = {layer: width / sum(1 for n in points if n[0] == layer) - 2 * RADIUS for layer, _ in points}
        for (layer, unit), point in points.items():
            beside[layer] = beside.get(layer, 0) + 1
            if layer == 0:
                item = self._text(self.called((0, unit)), point.x(), point.y() - RADIUS - 16, 10, slanted)
                item.setRotation(SLANT if slanted else 0.0)
                continue
            bias = self.network.biases[layer - 1][unit]
            text = number(bias, sign=True)
            item = self._text(text, point.x() + RADIUS + 4, point.y() - 8, 9, left=True)
            if item.boundingRect().width() + 4 > room[layer]:  # the tooltip still shows the bias
                self.removeItem(item)
            if layer == self.network.depth:
                name = self.output_names[unit] if self.output_names else "f(x)"
                if self.upright:
                    item = self._text(name, point.x() + 9, point.y() + RADIUS + 4, 10, left=True)
                    item.setRotation(90.0)
                    continue
                row = (beside[layer] - 1) % OUTPUT_ROWS if len(self.output_names) > FEW else 0
                self._text(name, point.x(), point.y() + RADIUS + 2 + 15 * row, 10)
        below = 15.0 * (OUTPUT_ROWS - 1) if len(self.output_names) > FEW else 0.0
        if self.upright:
            below = 6.5 * max(len(name) for name in self.output_names)
        above = 48 if not slanted else 30 + 4.5 * longest
        right = 68 if not slanted else 34 + 5 * longest
        self.setSceneRect(QRectF(-34, -above, width + right, RISE * self.network.depth + 30 + above + below))

    def _text(self, text: str, x: float, y: float, size: int, left: bool = False) -> QGraphicsSimpleTextItem:
        item = QGraphicsSimpleTextItem(text)
        font = item.font()
        font.setPixelSize(size + 2)
        item.setFont(font)
        item.setBrush(QBrush(self.ink))
        item.setPos(x if left else x - item.boundingRect().width() / 2, y)
        item.setZValue(3)
        item.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.addItem(item)
        return item


class _Connection(QGraphicsLineItem):
    """A connection, drawn as a line that is easy to hit with the mouse however thin it is."""

    def __init__(
        self, scene: NetworkScene, edge: Edge, start: QPointF, end: QPointF, strongest: float
    ) -> None:
        super().__init__(start.x(), start.y(), end.x(), end.y())
        self._network_scene = scene
        assert scene.network is not None
        layer, row, column = edge
        self.weight = float(scene.network.weights[layer][row, column])
        colour = QColor((BLUE if self.weight >= 0 else RED)[scene.dark])
        self._lit = QPen(colour, 0.8 + (WIDEST - 0.8) * abs(self.weight) / strongest)
        self._dim = QPen(QColor(128, 128, 128, 70), self._lit.widthF())
        for pen in (self._lit, self._dim):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        value = number(self.weight, 3, sign=True)
        ends = f"{scene.called((layer, row))} to {scene.called((layer + 1, column))}"
        self.sentence = f"From {ends}: weight {value}."
        self.setToolTip(self.sentence)
        self.setAcceptHoverEvents(True)
        self.light(True)

    def light(self, on: bool) -> None:
        """Draw the line in colour or in grey."""
        self.setPen(self._lit if on else self._dim)
        self.setZValue(1 if on else 0)

    def shape(self) -> QPainterPath:
        """Return the area that reacts to the mouse."""
        path = QPainterPath(self.line().p1())
        path.lineTo(self.line().p2())
        stroker = QPainterPathStroker()
        stroker.setWidth(max(8.0, self._lit.widthF()))
        return stroker.createStroke(path)

    def hoverEnterEvent(self, event: Any) -> None:
        """Report the weight and draw the line wider."""
        self._network_scene.hovered.emit(self.sentence)
        pen = QPen(self.pen())
        pen.setWidthF(pen.widthF() + 2)
        self._before = self.pen()
        self.setPen(pen)
        super().hoverEnterEvent(event)

    def hoverLeaveEvent(self, event: Any) -> None:
        """Clear the report and restore the line."""
        self._network_scene.hovered.emit("")
        self.setPen(self._before)
        super().hoverLeaveEvent(event)

    _before = QPen()


class _Node(QGraphicsEllipseItem):
    """A neuron as a dot."""

    def __init__(self, scene: NetworkScene, neuron: Neuron, point: QPointF) -> None:
        super().__init__(-RADIUS, -RADIUS, 2 * RADIUS, 2 * RADIUS)
        assert scene.network is not None
        self.setPos(point)
        self._network_scene = scene
        self.neuron = neuron
        layer, unit = neuron
        name = scene.called(neuron)
        self.sentence = f"Input {name}."
        if layer:
            bias = number(scene.network.biases[layer - 1][unit], 3, sign=True)
            self.sentence = f"{name.capitalize()}: bias {bias}."
        self._ink = scene.ink
        if layer == scene.network.depth and scene.output_colours:
            self._ink = QColor(scene.output_colours[unit])
        self.setToolTip(f"{self.sentence} Click to see its paths and its response.")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAcceptHoverEvents(True)
        self.setZValue(2)
        self.light(True, False)

    def light(self, on: bool, chosen: bool) -> None:
        """Draw the dot in colour or in grey, with a ring around the chosen neuron."""
        self.setBrush(QBrush(self._ink if on else QColor(128, 128, 128, 110)))
        self.setPen(QPen(QColor("#E69F00"), 3.5) if chosen else QPen(Qt.PenStyle.NoPen))

    def hoverEnterEvent(self, event: Any) -> None:
        """Report which neuron it is."""
        self._network_scene.hovered.emit(self.sentence)
        super().hoverEnterEvent(event)

    def hoverLeaveEvent(self, event: Any) -> None:
        """Clear the report."""
        self._network_scene.hovered.emit("")
        super().hoverLeaveEvent(event)


class NetworkView(QGraphicsView):
    """View that always shows the whole drawing."""

    def __init__(self, scene: NetworkScene) -> None:
        super().__init__(scene)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setFixedHeight(320)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setStyleSheet("QGraphicsView { background: transparent; border: none; }")

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move from neuron to neuron with the arrow keys; Escape chooses none."""
        scene = self.scene()
        if event is not None and isinstance(scene, NetworkScene) and event.key() in ARROWS:
            scene.step(event.key())
        elif event is not None and isinstance(scene, NetworkScene) and event.key() == Qt.Key.Key_Escape:
            scene.clicked.emit(None)
        else:
            super().keyPressEvent(event)

    def fit(self) -> None:
        """Fit the drawing into the view."""
        self.fitInView(self.sceneRect(), Qt.AspectRatioMode.KeepAspectRatio)

    def resizeEvent(self, event: Any) -> None:
        """Fit the drawing into the new size."""
        super().resizeEvent(event)
        self.fit()

    def showEvent(self, event: Any) -> None:
        """Fit the drawing when it is shown."""
        super().showEvent(event)
        self.fit()
