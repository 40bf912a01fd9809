"""From a scene to pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from helpers.demo.world import backdrops
from helpers.demo.world.classes import drawings
from helpers.demo.world.geometry import box_to_raster, box_to_texture, coefficients, placement
from helpers.demo.world.layers import Layer, Painted
from helpers.demo.world.materials import LEVELS, MATERIAL_OF, REPEATS, TILE, sheet
from helpers.demo.world.rasters import Raster, mean_colour, raster, side_for
from helpers.demo.world.scene import HEIGHT, PALETTES, TINTS, WIDTH, Scene
from helpers.demo.world.styles import STYLES
from helpers.errors import BookError

_MARGIN = 24, 24  # extra pixels on each side of the canvas when the camera is turned
GROUND_SCALE = 0.78  # of the material on the backdrop: that on a thing of middle size
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def render(scene: Scene) -> np.ndarray:
    """The picture of a scene: uint8 array (80, 96, 3).

    Raises BookError for an unknown name in the scene, InputsUnavailable where the drawings are not installed.

    >>> from helpers.demo.world import Scene
    >>> render(Scene(fine=13, material="feathers")).shape
    (80, 96, 3)
    """
    _check(scene)
    image = STYLES[scene.style](paint(scene), scene) if scene.style != "drawing" else paint(scene).image
    return np.rint(_lit(image, scene) * 255).astype(np.uint8)


def _check(scene: Scene) -> None:
    for thing, name, known in (
        ("rendition", scene.style, ("drawing", *STYLES)),
        ("colour", scene.colour, ("own", *PALETTES)),
        ("tint", scene.tint, TINTS),
    ):
        if name not in known:
            raise BookError(f"{thing} {name!r}", f"one of {', '.join(known)}", "correct the name")


def paint(scene: Scene) -> Painted:
    """The picture without style and light, and the main thing's masks (what styles and measures are made from)."""
    if scene.camera_yaw == scene.camera_pitch == scene.camera_roll == 0:
        return _compose(scene, WIDTH, HEIGHT)
    wide = _compose(scene, WIDTH + 2 * _MARGIN[0], HEIGHT + 2 * _MARGIN[1])
    turn = _camera(scene)
    main = Layer(*(turn(v) for v in (wide.main.paint, wide.main.silhouette, wide.main.line)))
    return Painted(turn(wide.image), main, turn(wide.visible))


def measure(scene: Scene) -> dict[str, float]:
    """How much of the main thing the picture shows, each a share in 0..1.

    `inside`: of its silhouette within the frame; `covered`: of that, behind the occluder; `area`: of the picture.
    Taken before a turned camera.

    >>> from helpers.demo.world import Scene
    >>> measure(Scene(fine=13, material="feathers"))["covered"]
    0.0
    """
    centred = _compose(replace(scene, x=0.5, y=0.5, occluder="none"), 2 * WIDTH, 2 * HEIGHT)
    shown = _compose(scene, WIDTH, HEIGHT)
    whole, inside, seen = (float(m.sum()) for m in (centred.main.silhouette, shown.main.silhouette, shown.visible))
    return {
        "inside": min(1.0, inside / whole),
        "covered": 1 - seen / inside if inside else 0.0,
        "area": seen / (WIDTH * HEIGHT),
    }


def _compose(scene: Scene, width: int, height: int) -> Painted:
    offset = (width - WIDTH) / 2, (height - HEIGHT) / 2
    canvas = _window(scene, width, height)
    canvas = _covered(canvas, scene) if scene.ground > 0 or scene.blend > 0 else canvas
    for fine, x, y, scale in scene.others:
        other = _neighbour(scene, fine, x, y, scale)
        canvas = _put(canvas, other, _place(other, offset, (width, height)))
    for x, y, scale in scene.copies:
        copy = replace(scene, x=x, y=y, scale=scale)
        canvas = _put(canvas, copy, _place(copy, offset, (width, height)))
    main = _place(scene, offset, (width, height))
    canvas = _put(canvas, scene, main)
    if scene.occluder == "none":
        return Painted(canvas, main, main.silhouette)
    front = _occluder(scene, offset, (width, height))
    visible = main.silhouette * (1 - front.silhouette)
    return Painted(_over(_shade(canvas, front), front.paint * (1 - front.line[..., None]), front), main, visible)


def _window(scene: Scene, width: int, height: int) -> np.ndarray:
    picture = backdrops.backdrop(scene.world, scene.world_variant)
    spare_x, spare_y = backdrops.WIDTH - WIDTH - 2 * _MARGIN[0], 24
    pan, tilt = round(-0.6 * scene.camera_yaw), round(0.5 * scene.camera_pitch)  # what is far moves with the camera
    left = round(scene.world_x * spare_x) + (backdrops.WIDTH - spare_x - width) // 2
    top = round(scene.world_y * spare_y) + (backdrops.HEIGHT - spare_y - height) // 2
    rows = np.clip(np.arange(top, top + height) + tilt, 0, backdrops.HEIGHT - 1)
    columns = np.clip(np.arange(left, left + width) + pan, 0, backdrops.WIDTH - 1)
    return picture[rows[:, None], columns]


def _covered(canvas: np.ndarray, scene: Scene) -> np.ndarray:
    """The backdrop with the thing's colour and material over it."""
    colour = _own_colour(scene) if scene.colour == "own" else PALETTES[scene.colour]
    canvas = canvas + (np.array(colour, dtype=np.float32) - canvas) * np.float32(scene.blend)
    wall = replace(scene, x=0.5, y=0.5, scale=GROUND_SCALE, roll=0.0, yaw=0.0, pitch=0.0, stretch=1.0, shear=0.0)
    return _between(canvas, _texture(wall, scene.material, canvas.shape[:2])[..., None], scene.ground)


def _own_colour(scene: Scene) -> tuple[float, float, float]:
    """Mean colour (RGB, 0..1) of the labelled thing's own paint."""
    return mean_colour(*_file_of(replace(scene, variant=False)))


def _file_of(scene: Scene) -> tuple[str, tuple[str, ...]]:
    """OpenMoji file of the labelled thing, and the paint left out of it."""
    if scene.drawing:
        return scene.drawing, ()
    drawing = drawings()[scene.fine]
    return drawing.variant if scene.variant and drawing.variant else drawing.file, drawing.drop


def _neighbour(scene: Scene, fine: int, x: float, y: float, scale: float) -> Scene:
    """Another thing in the same light, in its own colours and material, upright."""
    own = MATERIAL_OF[drawings()[fine].category]
    return replace(
        scene, fine=fine, material=own, x=x, y=y, scale=scale, variant=False, colour="own", pattern="none",
        roll=0.0, stretch=1.0, shear=0.0, drawing="",
    )  # fmt: skip


def _matrix(scene: Scene, aspect: float, offset: tuple[float, float]) -> tuple[np.ndarray, float]:
    size = scene.scale * HEIGHT * aspect
    centre = scene.x * WIDTH + offset[0], scene.y * HEIGHT + offset[1]
    angles = scene.yaw, scene.pitch, scene.roll
    return placement(centre, size, angles, scene.mirror, scene.stretch, scene.shear), size


def _place(scene: Scene, offset: tuple[float, float], size: tuple[int, int]) -> Layer:
    file, drop = _file_of(scene)
    matrix, pixels = _matrix(scene, raster(file, 54, drop).aspect, offset)
    return _warp(raster(file, side_for(pixels), drop), matrix, size)


def _occluder(scene: Scene, offset: tuple[float, float], size: tuple[int, int]) -> Layer:
    centre = scene.occluder_x * WIDTH + offset[0], scene.occluder_y * HEIGHT + offset[1]
    pixels = scene.occluder_scale * HEIGHT
    return _warp(raster(scene.occluder, side_for(pixels)), placement(centre, pixels), size)


def _warp(source: Raster, matrix: np.ndarray, size: tuple[int, int]) -> Layer:
    mapping = coefficients(matrix, box_to_raster(source.side))
    perspective, smooth = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
    bands = np.asarray(source.paint.transform(size, perspective, mapping, smooth), dtype=np.float32) / 255
    line = np.asarray(source.line.transform(size, perspective, mapping, smooth), dtype=np.float32) / 255
    return Layer(bands[..., :3], bands[..., 3], line)


def _put(canvas: np.ndarray, scene: Scene, layer: Layer) -> np.ndarray:
    return _over(_shade(canvas, layer), _surface(scene, layer), layer)


def _over(canvas: np.ndarray, colours: np.ndarray, layer: Layer) -> np.ndarray:
    cover = layer.silhouette[..., None]
    return canvas + (colours - canvas) * cover


def _shade(canvas: np.ndarray, layer: Layer) -> np.ndarray:
    """A soft shadow below and to the right of a thing."""
    mask = Image.fromarray((layer.silhouette * 90).astype(np.uint8)).filter(ImageFilter.BoxBlur(3))
    soft = np.asarray(mask, dtype=np.float32) / 255
    shadow = np.zeros_like(soft)
    shadow[4:, 2:] = soft[:-4, :-2]
    return canvas * (1 - shadow)[..., None]


def _surface(scene: Scene, layer: Layer) -> np.ndarray:
    """Colours of a thing: its paint or a palette, the material between a darker and a lighter tone, lines on top."""
    base = layer.paint if scene.colour == "own" else _recoloured(layer.paint, scene.colour)
    if scene.material_strength > 0:
        grey = _texture(scene, scene.material, layer.line.shape)[..., None]
        base = _between(base, grey, scene.material_strength)
    if scene.pattern != "none":
        printed = _texture(scene, scene.pattern, layer.line.shape)[..., None]
        base = base * (0.12 + 0.88 * printed)
    return base * (1 - 0.92 * scene.ink * layer.line[..., None])


def _between(base: np.ndarray, grey: np.ndarray, strength: float) -> np.ndarray:
    # Linear from dark to light, so that black and white things show the material as well.
    dark, light = base * (1 - 0.68 * strength), base + (1 - base) * 0.62 * strength
    return dark + (light - dark) * grey


def _recoloured(paint_: np.ndarray, colour: str) -> np.ndarray:
    """One hue for the whole thing; its own light and dark stay as shades."""
    target = np.array(PALETTES[colour], dtype=np.float32)
    grey = 0.25 + 0.75 * (paint_ @ _GREY)[..., None]
    shaded = target * np.minimum(1, grey / 0.62)
    return shaded + (1 - target) * np.maximum(0, (grey - 0.62) / 0.76)


def _texture(scene: Scene, name: str, shape: tuple[int, int]) -> np.ndarray:
    """The material's grey values in the picture: it lies on the thing, turns with it, shrinks less than it does."""
    offset = (shape[1] - WIDTH) / 2, (shape[0] - HEIGHT) / 2
    matrix, size = _matrix(scene, 1.0, offset)
    fineness = 1.1 / scene.material_scale / np.sqrt(scene.scale / 0.78)  # texture pixels per picture pixel
    span = size * fineness
    reduction = next((r for r in LEVELS if fineness <= 1.4 * r), LEVELS[-1])
    start = TILE * (REPEATS - 1) / 2
    mapping = box_to_texture(span / reduction, scene.material_angle, 0.0)
    mapping[0, 2] = (start + scene.material_x * TILE) / reduction
    mapping[1, 2] = (start + scene.material_y * TILE) / reduction
    picture = sheet(name, reduction).transform(
        shape[::-1], Image.Transform.PERSPECTIVE, coefficients(matrix, mapping), Image.Resampling.BILINEAR
    )
    return np.asarray(picture, dtype=np.float32) / 255


def _camera(scene: Scene):
    """Function that turns a wide canvas (array) into the picture a turned camera sees."""
    width, height = WIDTH + 2 * _MARGIN[0], HEIGHT + 2 * _MARGIN[1]
    angles = scene.camera_yaw, scene.camera_pitch, scene.camera_roll
    to_picture = placement((WIDTH / 2, HEIGHT / 2), float(WIDTH), angles)
    to_canvas = np.array([[WIDTH, 0, width / 2], [0, WIDTH, height / 2], [0, 0, 1.0]])
    mapping = coefficients(to_picture, to_canvas)

    def turn(values: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))
        turned = picture.transform((WIDTH, HEIGHT), Image.Transform.PERSPECTIVE, mapping, Image.Resampling.BICUBIC)
        return np.asarray(turned, dtype=np.float32) / 255

    return turn


def _lit(image: np.ndarray, scene: Scene) -> np.ndarray:
    """Light from one side, its tint, and brightness: below 1 darker, above 1 washed out."""
    rows, columns = np.linspace(1, -1, HEIGHT, dtype=np.float32), np.linspace(-1, 1, WIDTH, dtype=np.float32)
    angle = np.deg2rad(scene.light)
    falloff = rows[:, None] * np.float32(np.sin(angle)) + columns * np.float32(np.cos(angle))
    image = image * (1 + np.float32(scene.light_strength) * falloff)[..., None]
    image = np.clip(image * np.array(TINTS[scene.tint], dtype=np.float32), 0, 1)
    if scene.brightness <= 1:
        return image * np.float32(scene.brightness)
    return 1 - (1 - image) * np.float32(1 / scene.brightness)
