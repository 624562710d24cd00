"""Composes photographs of forms and boards with handwritten digits, and says where each digit is.

Nobody took these photographs. The digits are those of scikit-learn; paper, light, lines, printed words, noise and the
blur of a camera are drawn.
"""

import io
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

SIDE = 128
# Words that stand printed beside what is filled in.
WORDS = ["Date", "No.", "Total", "Name", "kWh", "EUR", "Room", "Page", "Meter", "Tel.", "Sum", "Items", "Code", "m/s"]
INKS = [(25, 25, 35), (30, 45, 120), (20, 60, 160), (150, 30, 40), (90, 90, 95)]
# A pixel of ink is part of a digit from here on.
INKED = 0.5


class Composer:
    def __init__(self, images, targets, seed):
        """`images` [count, 8, 8] with ink of 0 to 16, and their digits."""
        self.images, self.targets = images, targets
        self.random = np.random.default_rng(seed)

    def compose(self):
        """A JPEG, and its digits: their labels, and boxes of whole pixels that end one after the last."""
        ink, printed, found = self.form()
        return self.to_jpeg(self.photograph(ink, printed, *self.colours())), found

    def compose_empty(self):
        """A JPEG without digits: of one colour, or an empty form on a ground of any colour."""
        random = self.random
        ground = random.uniform(0, 255, 3)
        if random.random() < 0.5:
            return self.to_jpeg(np.full((SIDE, SIDE, 3), ground, np.uint8)), []
        ink, printed, _ = self.form()
        _, pen, type_ink = self.colours()
        return self.to_jpeg(self.photograph(np.zeros_like(ink), printed, ground, pen, type_ink)), []

    def form(self):
        """Where there is how much ink, where how much print, and the digits."""
        random = self.random
        tilt = np.deg2rad(random.uniform(-8, 8))
        ink = np.zeros((SIDE, SIDE))
        print_layer = Image.new("L", (2 * SIDE, 2 * SIDE))
        found = []
        y = random.uniform(4, 30)
        while y < SIDE - 16:
            height = random.uniform(14, 34)
            found += self.row(ink, print_layer, y, height, tilt)
            y += height * random.uniform(1.2, 2.2)
        self.scribble(print_layer)
        return ink, np.asarray(print_layer.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255, found

    def row(self, ink, layer, y, height, tilt):
        """Writes a number, and prints what it is written into."""
        random = self.random
        style = random.choice(["cells", "line", "free"])
        # Below 0 the digits of a number touch.
        gap = random.choice([random.uniform(0.15, 0.5), random.uniform(-0.12, 0.05)])
        x = random.uniform(4, 50)
        start, found = x, []
        draw = ImageDraw.Draw(layer)
        for _ in range(random.integers(1, 6)):
            written, label = self.digit(height * random.uniform(0.88, 1.12), tilt)
            width = written.shape[1]
            pitch = height * 0.95 if style == "cells" else width + gap * height
            middle = turned(x + pitch / 2, y + height * (0.5 + random.uniform(-0.06, 0.06)), tilt)
            if box := put(ink, written, middle):
                found.append({"label": label, "box": box})
                if style == "cells":
                    corners = [(x, y - 2), (x + pitch, y - 2), (x + pitch, y + height + 2), (x, y + height + 2)]
                    draw.line(doubled([*corners, corners[0]], tilt), fill=self.faint(), width=2)
            x += pitch
        if style == "line":
            edge = random.uniform(0, 3) + y + height
            draw.line(doubled([(start - 8, edge), (x + 12, edge)], tilt), fill=self.faint(), width=2)
        if random.random() < 0.5:
            place = doubled([(random.choice([start - 30, x + 5]), y + height * 0.3)], tilt)[0]
            font = font_of(int(random.integers(13, 22)))
            draw.text(place, str(random.choice(WORDS)), fill=self.faint(), font=font)
        return found

    def digit(self, height, tilt):
        """One digit, written with a pen: where there is how much ink, from 0 to 1, and its label."""
        random = self.random
        at = random.integers(len(self.images))
        image = Image.fromarray(np.pad(self.images[at] / 16, 2).astype(np.float32))
        size = (round(height * 12 / 8 * random.uniform(0.75, 1.05)), round(height * 12 / 8))
        angle = random.uniform(-10, 10) - np.rad2deg(tilt)
        drawn = np.asarray(image.resize(size, Image.Resampling.BICUBIC).rotate(angle, Image.Resampling.BICUBIC))
        drawn = 1 / (1 + np.exp(-random.uniform(7, 14) * (drawn - random.uniform(0.35, 0.5))))
        rows, columns = (np.flatnonzero((drawn > INKED).any(axis)) for axis in (1, 0))
        return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], str(self.targets[at])

    def scribble(self, layer):
        """Strokes and specks that are no digits."""
        random = self.random
        draw = ImageDraw.Draw(layer)
        for _ in range(random.integers(0, 3)):
            start = random.uniform(0, 2 * SIDE, 2)
            points = start + np.cumsum(random.normal(0, 12, (4, 2)), axis=0)
            draw.line([tuple(point) for point in points], fill=self.faint(), width=int(random.integers(2, 5)), joint="curve")
        for _ in range(random.integers(0, 6)):
            x, y = random.uniform(0, 2 * SIDE, 2)
            r = random.uniform(1, 3)
            draw.ellipse([x - r, y - r, x + r, y + r], fill=self.faint())

    def colours(self):
        """Of paper (one time in five a dark board; half are tinted), of the pen, and of print."""
        random = self.random
        is_board = random.random() < 0.2
        ground = random.uniform(25, 75) if is_board else random.uniform(190, 245)
        pen = [random.uniform(190, 240)] * 3 if is_board else INKS[random.integers(len(INKS))]
        type_ink = [random.uniform(130, 200)] * 3 if is_board else [random.uniform(30, 140)] * 3
        return ground + random.normal(0, random.choice([6, 25]), 3), np.array(pen), np.array(type_ink)

    def photograph(self, ink, printed, ground, pen, type_ink):
        """Under uneven light."""
        random = self.random
        texture = gaussian_filter(random.normal(0, 1, (SIDE, SIDE)), 2.5) * random.uniform(0, 25)
        picture = ground + texture[..., None]
        for layer, colour in ((printed, type_ink), (ink * random.uniform(0.65, 1), pen)):
            picture = picture + layer[..., None] * (colour - picture)
        picture = picture * self.light()[..., None]
        picture = gaussian_filter(picture, (*[random.uniform(0, 0.8)] * 2, 0))
        picture = picture + random.normal(0, random.uniform(1, 7), picture.shape)
        return picture.clip(0, 255).astype(np.uint8)

    def light(self):
        """Falls off to one side. Half of the time a shadow lies over a part."""
        random = self.random
        across, down = np.meshgrid(*[np.linspace(-0.5, 0.5, SIDE)] * 2)
        angle = random.uniform(0, 2 * np.pi)
        light = 1 - random.uniform(0, 0.45) * (0.5 + np.cos(angle) * across + np.sin(angle) * down)
        if random.random() < 0.5:
            angle = random.uniform(0, 2 * np.pi)
            beyond = np.cos(angle) * across + np.sin(angle) * down - random.uniform(-0.3, 0.3)
            light = light * (1 - random.uniform(0.15, 0.45) / (1 + np.exp(-beyond / random.uniform(0.01, 0.06))))
        return light

    def to_jpeg(self, pixels):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=int(self.random.integers(45, 80)))
        return file.getvalue()

    def faint(self):
        return int(self.random.integers(120, 256))


@cache
def font_of(size):
    """The one that Pillow has with it."""
    return ImageFont.load_default(size)


def turned(x, y, tilt):
    """Where a point lies once the picture is turned about its middle."""
    across, down = x - SIDE / 2, y - SIDE / 2
    return (
        SIDE / 2 + across * np.cos(tilt) - down * np.sin(tilt),
        SIDE / 2 + across * np.sin(tilt) + down * np.cos(tilt),
    )


def doubled(points, tilt):
    """Points on the layer for print, which has twice as many pixels so that lines come out smooth."""
    return [tuple(2 * value for value in turned(*point, tilt)) for point in points]


def put(layer, ink, middle):
    """Adds ink to a layer, and gives its box, or None where it would not lie in the picture as a whole."""
    height, width = ink.shape
    left, top = round(middle[0] - width / 2), round(middle[1] - height / 2)
    if left < 0 or top < 0 or left + width > SIDE or top + height > SIDE:
        return None
    part = layer[top : top + height, left : left + width]
    np.maximum(part, ink, out=part)
    return {"xmin": left, "ymin": top, "xmax": left + width, "ymax": top + height}
