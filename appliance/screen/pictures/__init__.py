"""Pictures for screens that can only show pixels: signals in, RGBA rows out, at the screen's own size.

A :class:`Look` is what there is to see; two looks that are equal give the same picture, so that nothing is drawn for
a change that nobody would see. Three layouts: a panel of lamps (64 x 32), a small card, and a sheet.

    >>> look = read_look({"box.facility": "St. Brigid Hospital"}, Moment(clock="14:03"))
    >>> len(draw(look, Shape(64, 32))) == 64 * 32 * 4
    True
"""

from appliance.screen.pictures.drawing import Shape, draw
from appliance.screen.pictures.look import Look, Moment, read_look

__all__ = ["Look", "Moment", "Shape", "draw", "read_look"]
