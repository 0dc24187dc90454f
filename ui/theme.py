"""Gradio's theme, pointing at the tokens: light and dark live in `assets/tokens.css` alone."""

from __future__ import annotations

import inspect
from typing import Any

import gradio as gr

_BY_VALUE: dict[str, tuple[str, ...]] = {
    "var(--d-ink)": (
        "body_text_color", "block_label_text_color", "block_title_text_color", "accordion_text_color", "color_accent",
        "slider_color", "checkbox_background_color_selected", "checkbox_border_color_selected", "table_text_color",
        "checkbox_label_text_color", "checkbox_label_text_color_selected", "loader_color",
        "button_secondary_text_color", "button_secondary_text_color_hover",
        "button_cancel_text_color", "button_cancel_text_color_hover",
    ),
    "var(--d-ink3)": ("body_text_color_subdued", "block_info_text_color", "input_placeholder_color"),
    "var(--d-accent-text)": (
        "link_text_color", "link_text_color_active", "link_text_color_hover", "link_text_color_visited",
        "border_color_accent",
    ),
    "var(--d-surface)": (
        "background_fill_primary", "input_background_fill", "input_background_fill_focus", "input_background_fill_hover",
        "button_secondary_background_fill", "button_cancel_background_fill", "checkbox_background_color",
        "checkbox_background_color_focus", "checkbox_background_color_hover", "table_even_background_fill",
        "table_odd_background_fill",
    ),
    "var(--d-sunken)": ("background_fill_secondary", "code_background_fill", "color_accent_soft", "stat_background_fill"),
    "var(--d-field)": (
        "input_border_color", "input_border_color_hover", "checkbox_border_color", "checkbox_border_color_focus",
        "checkbox_border_color_hover",
    ),
    "var(--d-accent-text) ": ("input_border_color_focus",),
    "var(--d-line)": ("border_color_primary", "table_border_color", "border_color_accent_subdued"),
    "var(--d-line2)": (
        "button_secondary_border_color", "button_secondary_border_color_hover", "button_cancel_border_color",
        "button_cancel_border_color_hover",
    ),
    "var(--d-hover)": ("button_secondary_background_fill_hover", "button_cancel_background_fill_hover", "table_row_focus"),
    "var(--d-accent)": ("button_primary_background_fill", "button_primary_border_color"),
    "var(--d-accent-hover)": ("button_primary_background_fill_hover", "button_primary_border_color_hover"),
    "var(--d-on-accent)": ("button_primary_text_color", "button_primary_text_color_hover"),
    "var(--d-bad)": ("error_text_color", "error_icon_color", "error_border_color"),
    "var(--d-raised)": ("error_background_fill",),
    "var(--d-shadow-button)": ("button_secondary_shadow", "button_cancel_shadow"),
    "transparent": (
        "block_background_fill", "block_label_background_fill", "block_title_background_fill", "panel_background_fill",
        "checkbox_label_background_fill", "checkbox_label_background_fill_hover",
        "checkbox_label_background_fill_selected", "block_border_color", "block_label_border_color",
        "block_title_border_color",
    ),
    "none": (
        "block_shadow", "block_label_shadow", "input_shadow", "input_shadow_focus", "checkbox_shadow",
        "checkbox_label_shadow", "checkbox_label_shadow_hover", "checkbox_label_shadow_active", "button_primary_shadow",
        "button_primary_shadow_hover", "button_primary_shadow_active", "button_secondary_shadow_hover",
        "button_secondary_shadow_active", "button_cancel_shadow_hover", "button_cancel_shadow_active",
        "button_transform_hover", "button_transform_active", "shadow_drop", "shadow_drop_lg", "shadow_inset",
    ),
    "0px": (
        "block_border_width", "block_label_border_width", "block_title_border_width", "block_padding", "block_radius",
        "block_label_padding", "block_title_padding", "block_label_margin", "form_gap_width", "panel_border_width",
        "checkbox_label_border_width", "container_radius", "block_label_radius", "block_title_radius",
    ),
    "1px": ("input_border_width", "checkbox_border_width", "button_border_width"),
    "4px": ("checkbox_border_radius",),
    "6px": ("button_small_radius",),
    "8px": ("input_radius", "button_large_radius", "button_medium_radius", "checkbox_label_gap"),
    "12px": ("table_radius", "block_info_text_size", "button_small_text_size"),
    "13px": ("block_label_text_size", "block_title_text_size", "button_medium_text_size", "checkbox_label_text_size"),
    "14px": ("body_text_size", "input_text_size", "button_large_text_size", "prose_text_size"),
    "16px": ("layout_gap",),
    "400": ("body_text_weight", "input_text_weight", "block_info_text_weight", "checkbox_label_text_weight"),
    "500": ("button_medium_text_weight", "button_small_text_weight"),
    "550": ("button_large_text_weight", "block_label_text_weight", "block_title_text_weight"),
    "7px 12px": ("input_padding",),
    "4px 12px": ("checkbox_label_padding",),
    "9px 16px": ("button_large_padding",),
    "5px 12px": ("button_medium_padding",),
    "3px 10px": ("button_small_padding",),
    "background-color 120ms": ("button_transition",),
}
"""Value -> theme variables. A Dropdown takes `checkbox_label_padding` as its inner padding, so that one is not 0."""


def theme() -> Any:  # noqa: ANN401 - Gradio is untyped here
    """A theme without colours of its own, save the two page colours that are painted before any style sheet arrives."""
    base = gr.themes.Base(
        primary_hue="neutral",
        secondary_hue="neutral",
        neutral_hue="neutral",
        font=[gr.themes.Font("Inter"), gr.themes.Font("ui-sans-serif"), gr.themes.Font("sans-serif")],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono"), gr.themes.Font("monospace")],
    )
    known = inspect.signature(base.set).parameters
    values = {name: value.strip() for value, names in _BY_VALUE.items() for name in names}
    values |= {f"{name}_dark": value for name, value in values.items() if f"{name}_dark" in known}
    return base.set(**values, body_background_fill="#f7f7f7", body_background_fill_dark="#131313")
