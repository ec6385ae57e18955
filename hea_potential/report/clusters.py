"""Small pictures of clusters: shaded balls that cut into each other as in space, drawn pixel by pixel."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray

from hea_potential.search.colours import colour_of
from hea_potential.search.pictures import upright

Image = NDArray[np.float64]
FINER = 3  # pixels are averages of so many by so many
LIGHT = np.array([-0.35, 0.45, 0.82]) / np.linalg.norm([-0.35, 0.45, 0.82])  # towards the light: left, up, to the eye
HAZE = 0.35  # how much paler the farthest atom is
TURN = 0.35, 0.3  # radians by which the cluster is turned, so that rows of atoms do not hide each other


def picture_of(atoms: Atoms, pixels: int = 96) -> Image:
    """A picture of a cluster, shape (pixels, pixels, 4), red, green, blue and opacity from 0 to 1.

    Balls have covalent radii; the cluster fills the picture, its longest axis to the right.
    """
    radii = covalent_radii[atoms.numbers]
    places = upright(atoms.positions) @ rotation(*TURN)
    reach = float((np.linalg.norm(places[:, :2], axis=1) + radii).max()) * 1.02
    count = FINER * pixels
    colours = np.array([rgb(colour_of(symbol)) for symbol in atoms.get_chemical_symbols()])
    haze = HAZE * (places[:, 2].max() - places[:, 2]) / max(float(np.ptp(places[:, 2])), 1e-9)
    axis = (np.arange(count) + 0.5) / count * 2.0 * reach - reach
    depth = np.full((count, count), -np.inf)
    seen = np.zeros((count, count, 4))
    for (x, y, z), radius, colour, pale in zip(places, radii, colours, haze, strict=True):
        columns = slice(*np.searchsorted(axis, (x - radius, x + radius)))
        rows = slice(*np.searchsorted(axis, (y - radius, y + radius)))
        u, v = np.meshgrid((axis[columns] - x) / radius, (axis[rows] - y) / radius)
        w = np.sqrt(np.maximum(1.0 - u * u - v * v, 0.0))
        nearer = (w > 0.0) & (z + radius * w > depth[rows, columns])
        depth[rows, columns][nearer] = (z + radius * w)[nearer]
        shaded = ball_colours(colour, u[nearer], v[nearer], w[nearer])
        seen[rows, columns][nearer, :3] = shaded + pale * (1.0 - shaded)
        seen[rows, columns][nearer, 3] = 1.0
    return coarsened(seen[::-1])


def ball_colours(colour: Image, u: Image, v: Image, w: Image) -> Image:
    """The colours (n, 3) of places on a ball by their normals (u, v, w): diffuse light, a gleam and a dark rim."""
    diffuse = np.maximum(np.stack([u, v, w], axis=-1) @ LIGHT, 0.0)
    bright = (0.42 + 0.62 * diffuse) * (0.45 + 0.55 * np.minimum(1.0, w / 0.3))
    gleam = 0.55 * diffuse**24
    lit = np.minimum(colour * bright[:, None], 1.0)
    return np.asarray(lit + gleam[:, None] * (1.0 - lit))


def rotation(right: float, down: float) -> Image:
    """The matrix that turns rows of positions about the upright axis, then about the horizontal one."""
    c, s, d, t = np.cos(right), np.sin(right), np.cos(down), np.sin(down)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) @ np.array([[1, 0, 0], [0, d, t], [0, -t, d]])


def coarsened(fine: Image) -> Image:
    """Averages over squares of FINER by FINER. Colours are those of what is there, so that edges do not darken: where
    nothing is, they are zero and do not count.
    """
    sums = np.zeros((len(fine) // FINER, len(fine) // FINER, 4))
    for row in range(FINER):
        for column in range(FINER):
            sums += fine[row::FINER, column::FINER]
    counts = np.maximum(sums[..., 3:], 1.0)
    return np.concatenate([sums[..., :3] / counts, sums[..., 3:] / FINER**2], axis=-1)


def rgb(colour: str) -> Image:
    """Red, green and blue from 0 to 1 of #rrggbb."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255.0


def as_data_uri(image: Image) -> str:
    """A picture as the address of an image that holds its PNG."""
    from matplotlib.image import imsave

    imsave(buffer := BytesIO(), np.clip(image, 0.0, 1.0), format="png")
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
