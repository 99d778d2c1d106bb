"""Functions that cover squares, right ones first."""

from __future__ import annotations

import torch


def cutout(images, size, centers):
    """One pixel at a time, from the definition."""
    mask = torch.ones(images.shape, dtype=images.dtype, device=images.device)
    for n, (row, column) in enumerate(centers):
        for i in range(int(row) - size // 2, int(row) - size // 2 + size):
            for j in range(int(column) - size // 2, int(column) - size // 2 + size):
                if 0 <= i < images.shape[2] and 0 <= j < images.shape[3]:
                    mask[n, :, i, j] = 0
    return images * mask


def covered(images, centers, rows, columns, value=0.0):
    """Set to `value` what the slices that `rows` and `columns` make of a centre select."""
    result = images.clone()
    height, width = images.shape[2:]
    for image, (row, column) in zip(result, centers, strict=True):
        image[:, rows(int(row), height), columns(int(column), width)] = value
    return result


def from_to(size):
    def select(at, length):
        start = at - size // 2
        return slice(max(start, 0), max(min(start + size, length), 0))

    return select


def by_slices(images, size, centers):
    return covered(images, centers, from_to(size), from_to(size))


def squares(images, size, centers, start=lambda at, size: at - size // 2):
    """Where the squares lie: (N, H, W)."""
    centers = torch.as_tensor(centers, device=images.device)
    height, width = images.shape[2:]
    top, left = start(centers[:, 0, None], size), start(centers[:, 1, None], size)
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    in_rows = (rows >= top) & (rows < top + size)
    in_columns = (columns >= left) & (columns < left + size)
    return in_rows[:, :, None] & in_columns[:, None, :]


def by_mask(images, size, centers):
    return images.masked_fill(squares(images, size, centers)[:, None], 0.0)


def by_where(images, size, centers):
    inside = squares(images, size, centers)[:, None]
    return torch.where(inside, torch.zeros_like(images), images)


def by_padding(images, size, centers):
    """Squares never meet the border of an image with a wide margin."""
    n, c, height, width = images.shape
    wide = torch.zeros(n, c, height + 2 * size, width + 2 * size, dtype=images.dtype)
    wide = wide.to(images.device)
    wide[:, :, size : size + height, size : size + width] = images
    for i, (row, column) in enumerate(centers):
        top, left = int(row) - size // 2 + size, int(column) - size // 2 + size
        wide[i, :, top : top + size, left : left + size] = 0
    return wide[:, :, size : size + height, size : size + width]


def swapped(images, size, centers):
    return by_slices(images, size, [(column, row) for row, column in centers])


def corner(images, size, centers):
    select = lambda at, length: slice(at, at + size)  # noqa: E731
    return covered(images, centers, select, select)


def half_each_side(images, size, centers):
    half = size // 2
    select = lambda at, length: slice(max(at - half, 0), at + half)  # noqa: E731
    return covered(images, centers, select, select)


def one_more(images, size, centers):
    half = size // 2
    select = lambda at, length: slice(max(at - half, 0), at + half + 1)  # noqa: E731
    return covered(images, centers, select, select)


def even_shifted(images, size, centers):
    def start(at, size):
        return at - (size - 1) // 2

    inside = squares(images, size, centers, start)
    return images.masked_fill(inside[:, None], 0.0)


def wraps(images, size, centers):
    def select(at, length):
        return slice(at - size // 2, at - size // 2 + size)

    return covered(images, centers, select, select)


def wraps_around(images, size, centers):
    def select(at, length):
        return [(at - size // 2 + k) % length for k in range(size)]

    result = images.clone()
    for image, (row, column) in zip(result, centers, strict=True):
        rows, columns = select(int(row), image.shape[1]), select(int(column), image.shape[2])
        for i in rows:
            image[:, i, columns] = 0
    return result


def moved_inside(images, size, centers):
    def select(at, length):
        start = min(max(at - size // 2, 0), max(length - size, 0))
        return slice(start, start + size)

    return covered(images, centers, select, select)


def skips_border(images, size, centers):
    result = images.clone()
    height, width = images.shape[2:]
    for image, (row, column) in zip(result, centers, strict=True):
        top, left = int(row) - size // 2, int(column) - size // 2
        if top >= 0 and left >= 0 and top + size <= height and left + size <= width:
            image[:, top : top + size, left : left + size] = 0
    return result


def spares_last(images, size, centers):
    def select(at, length):
        start = at - size // 2
        return slice(max(start, 0), min(start + size, length - 1))

    return covered(images, centers, select, select)


def height_for_width(images, size, centers):
    height = images.shape[2]
    return covered(images, centers, from_to(size), lambda at, length: from_to(size)(at, height))


def first_channel(images, size, centers):
    inside = squares(images, size, centers)
    result = images.clone()
    result[:, 0] = result[:, 0].masked_fill(inside, 0.0)
    return result


def first_centre(images, size, centers):
    return by_slices(images, size, [centers[0]] * len(images))


def every_centre(images, size, centers):
    inside = squares(images, size, centers).any(dim=0)
    return images.masked_fill(inside, 0.0)


def inverted(images, size, centers):
    return images.masked_fill(~squares(images, size, centers)[:, None], 0.0)


def fills_mean(images, size, centers):
    value = float(images.mean()) if images.device.type != "meta" else 0.0
    return images.masked_fill(squares(images, size, centers)[:, None], value)


def fills_one(images, size, centers):
    return images.masked_fill(squares(images, size, centers)[:, None], 1.0)


def bands(images, size, centers):
    result = images.clone()
    height, width = images.shape[2:]
    for image, (row, column) in zip(result, centers, strict=True):
        image[:, from_to(size)(int(row), height)] = 0
        image[:, :, from_to(size)(int(column), width)] = 0
    return result


def draws_centres(images, size, centers):
    n, _, height, width = images.shape
    rows, columns = torch.randint(height, (n,)).tolist(), torch.randint(width, (n,)).tolist()
    return by_slices(images, size, list(zip(rows, columns, strict=True)))


def in_place(images, size, centers):
    images[:] = by_slices(images, size, centers)
    return images


def needs_tensor(images, size, centers):
    if images.device.type == "meta":
        centers = torch.as_tensor(centers)
    rows, columns = centers[:, 0].tolist(), centers[:, 1].tolist()
    return by_slices(images, size, list(zip(rows, columns, strict=True)))


def cut_off(images, size, centers):
    return by_slices(images.detach(), size, centers)


def mask_on_cpu(images, size, centers):
    mask = torch.ones(images.shape, dtype=images.dtype)
    return images * by_slices(mask, size, centers)


def float32(images, size, centers):
    return by_slices(images.float(), size, centers)
