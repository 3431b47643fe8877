"""Column names in German, French, Spanish and Italian, as in tables that people name themselves."""

from __future__ import annotations

_NAMES = {
    "trackid": "spur spurid idspur spurnr spurnummer trajektorie piste idpiste pisteid ndepiste nodepiste npiste "
    "numeropiste numerodepiste trajectoire pista idpista pistaid numerodepista trayectoria traccia idtraccia "
    "traiettoria",
    "cellid": "zelle zellid zellenid zellnr zellnummer zellennummer cellule idcellule celluleid ndecellule "
    "numerodecellule celula idcelula numerodecelula cellula idcellula",
    "frame": "bild bildnr bildnummer bildindex einzelbild trame ndimage nodimage numerodimage numerodetrame fotograma "
    "numerodefotograma cuadro fotogramma",
    "timepoint": "zeitpunkt zeitindex pointdetemps",
    "time": "zeit temps tiempo tempo",
    "parent": "mutter mutterzelle mutterspur mutterid mere cellulemere pistemere madre celulamadre cellulamadre",
    "class": "klasse zellklasse classe clase",
    "phase": "zellphase fase zellzyklusphase",
    "state": "zustand zellzustand etat estado stato",
    "xcoord": "xkoordinate xkoord coordonneex coordenadax coordinatax posicionx posizionex",
    "ycoord": "ykoordinate ykoord coordonneey coordenaday coordinatay posiciony posizioney",
}
ENGLISH = {word: name for name, words in _NAMES.items() for word in words.split()}
"""English names by names in other languages, all as letters and digits without accents."""
