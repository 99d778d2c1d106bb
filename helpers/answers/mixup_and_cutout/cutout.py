"""Cutout: right and wrong answers."""

from __future__ import annotations

from helpers.answers.mixup_and_cutout.squares import (
    bands,
    by_mask,
    by_padding,
    by_slices,
    by_where,
    corner,
    cut_off,
    cutout,
    draws_centres,
    even_shifted,
    every_centre,
    fills_mean,
    fills_one,
    first_centre,
    first_channel,
    float32,
    half_each_side,
    height_for_width,
    in_place,
    inverted,
    mask_on_cpu,
    moved_inside,
    needs_tensor,
    one_more,
    skips_border,
    spares_last,
    swapped,
    wraps,
    wraps_around,
)
from helpers.checking.check import Answers, Misconception

ANSWERS = Answers(
    reference=cutout,
    variants={
        "slices": by_slices,
        "a mask from comparisons": by_mask,
        "where": by_where,
        "a wide margin": by_padding,
    },
    misconceptions=(
        Misconception(
            "row-and-column-swapped",
            swapped,
            "You took the first number of a centre for the column, and it is the row.",
            "A centre is (row, column), in the order of the last two axes of images.",
        ),
        Misconception(
            "corner-for-centre",
            corner,
            "Your square begins at the centre instead of lying around it.",
            "Begin at row - size // 2, and the same for the column.",
        ),
        Misconception(
            "odd-size-too-small",
            half_each_side,
            "You cut size // 2 rows on each side, so an odd size loses one row and one column.",
            "Count size rows from the start on: the end is row - size // 2 + size.",
        ),
        Misconception(
            "even-size-too-large",
            one_more,
            "You cut from row - size // 2 to row + size // 2 with the last one included, which "
            "is one too many for an even size.",
            "Count size rows from the start on: the end is row - size // 2 + size.",
        ),
        Misconception(
            "even-size-shifted",
            even_shifted,
            "For an even size your square lies one pixel too far down and to the right.",
            "Begin at row - size // 2.",
        ),
        Misconception(
            "negative-start",
            wraps,
            "Near the upper or left border your slice begins at a negative number, which Python "
            "counts from the end.",
            "Begin at max(row - size // 2, 0).",
        ),
        Misconception(
            "wraps-around",
            wraps_around,
            "What leaves the image on one side of your square comes in on the other side.",
            "Leave out the rows and columns that lie outside.",
        ),
        Misconception(
            "moved-inside",
            moved_inside,
            "You moved a square that reaches over the border, so that all of it lies inside.",
            "Keep the centre and cut the square at the border; a smaller hole is meant.",
        ),
        Misconception(
            "skips-border",
            skips_border,
            "You leave an image as it is when its square reaches over the border.",
            "Cut the square at the border and cover what lies inside.",
        ),
        Misconception(
            "last-row-spared",
            spares_last,
            "You clip the end of the square to H - 1 and W - 1, so the last row and column stay.",
            "The end of a slice is not included: clip it to H and W.",
        ),
        Misconception(
            "height-for-width",
            height_for_width,
            "You clip the columns with the height of the image.",
            "Columns are the last axis: clip them with images.shape[3].",
        ),
        Misconception(
            "first-channel",
            first_channel,
            "You covered the square in the first channel only.",
            "Zero all channels: result[i, :, rows, columns].",
        ),
        Misconception(
            "first-centre",
            first_centre,
            "You used the first centre for all images.",
            "Image i has the centre centers[i].",
        ),
        Misconception(
            "all-centres",
            every_centre,
            "You covered the squares of all centres in every image.",
            "Image i has one square only, at centers[i].",
        ),
        Misconception(
            "inverted",
            inverted,
            "You kept the square and zeroed everything around it.",
            "The square is what is zeroed.",
        ),
        Misconception(
            "fills-with-mean",
            fills_mean,
            "You filled the square with the mean of the images.",
            "Fill it with 0, which is the mean already where images are standardised.",
        ),
        Misconception(
            "fills-with-one",
            fills_one,
            "You filled the square with 1.",
            "Fill it with 0.",
        ),
        Misconception(
            "whole-rows",
            bands,
            "You zeroed whole rows and whole columns, a cross instead of a square.",
            "Select rows and columns in one index: result[i, :, rows, columns].",
        ),
        Misconception(
            "draws-centres",
            draws_centres,
            "You drew centres of your own, and they are given.",
            "Drawing belongs to the caller; use the argument centers.",
        ),
        Misconception(
            "in-place",
            in_place,
            "Your code covers the images that it was given.",
            "Begin with result = images.clone().",
        ),
        Misconception(
            "needs-a-tensor",
            needs_tensor,
            "Your code needs centres in a tensor, and a list of pairs is allowed too.",
            "Loop over centers, or begin with centers = torch.as_tensor(centers).",
        ),
        Misconception(
            "cut-off",
            cut_off,
            "Your result is cut off from the images, by detach() or .data or no_grad().",
            "Compute with a clone of the images themselves.",
        ),
        Misconception(
            "mask-on-cpu",
            mask_on_cpu,
            "You made the mask on the CPU, also when the images lie on a GPU.",
            "Make it with torch.ones_like(images), which takes over the device.",
        ),
        Misconception(
            "float32",
            float32,
            "Your result is always float32.",
            "Keep the dtype of the images.",
        ),
    ),
)
