"""Line icons of the pages: a 24 grid, one stroke, always beside a word or with a name of their own."""

from markupsafe import Markup, escape

_SHAPES = {
    "again": '<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.3M20 4.5v4.8h-4.8"/>',
    "arrow": '<path d="M5 12h14M13 6l6 6-6 6"/>',
    "back": '<path d="M19 12H5M11 6l-6 6 6 6"/>',
    "bell": (
        '<path d="M12 3.5a5.5 5.5 0 0 0-5.5 5.5c0 5-2 6.5-2 7.5h15c0-1-2-2.5-2-7.5A5.5 5.5 0 0 0 12 3.5z"/>'
        '<path d="M10 19.5a2 2 0 0 0 4 0"/>'
    ),
    "backpack": (
        '<path d="M6 8.5h12a1.5 1.5 0 0 1 1.5 1.5v9.5a1.5 1.5 0 0 1-1.5 1.5H6a1.5 1.5 0 0 1-1.5-1.5V1'
        '0A1.5 1.5 0 0 1 6 8.5zM8.5 8.5V6.5a3.5 3.5 0 0 1 7 0v2M8.5 14h7v7"/>'
    ),
    "bin": '<path d="M5 7h14M9.5 7V4.5h5V7M7 7l.8 13h8.4L17 7"/>',
    "camera": (
        '<path d="M3.5 8.5a2 2 0 0 1 2-2h2.3l1.4-2h5.6l1.4 2h2.3a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-13a2 '
        '2 0 0 1-2-2z"/>'
        '<circle cx="12" cy="12.7" r="3.5"/>'
    ),
    "captions": (
        '<rect x="3" y="5.5" width="18" height="13" rx="2"/>'
        '<path d="M10.5 10.7a2 2 0 1 0 0 2.7M16.5 10.7a2 2 0 1 0 0 2.7"/>'
    ),
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5.3l3.4 2"/>',
    "comment": '<path d="M4 4.5h16v11l-4.5 4.5H4z"/><path d="M8 9.5h8M8 13.5h4"/>',
    "copy": (
        '<rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2"/>'
        '<path d="M15.5 5.5v-.2A1.3 1.3 0 0 0 14.2 4H5.3A1.3 1.3 0 0 0 4 5.3v8.9a1.3 1.3 0 0 0 1.3 1.'
        '3h.2"/>'
    ),
    "done": '<circle cx="12" cy="12" r="9"/><path d="M8 12.3l2.8 2.8L16 9.6"/>',
    "download": '<path d="M12 4v11M7 10.5l5 5 5-5M4.5 20h15"/>',
    "eye": (
        '<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/>'
        '<circle cx="12" cy="12" r="2.8"/>'
    ),
    "file": '<path d="M6 3h8l4.5 4.5V21H6z"/><path d="M14 3v5h4.5"/>',
    "flag": '<path d="M5.5 21V4M5.5 4.5h12l-2.5 4 2.5 4h-12"/>',
    "fold": '<path d="M6 9.5l6 6 6-6"/>',
    "grade": (
        '<rect x="4" y="4" width="16" height="16" rx="2"/>'
        '<path d="M4 9.5h16M10 9.5V20M13 14.7l1.7 1.7 2.8-3.2"/>'
    ),
    "half": (
        '<circle cx="12" cy="12" r="9"/><path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor" stroke="none"/>'
    ),
    "help": (
        '<circle cx="12" cy="12" r="9"/>'
        '<path d="M9.4 9.5a2.7 2.7 0 1 1 3.7 2.5c-.7.3-1.1.8-1.1 1.6M12 16.7v.1"/>'
    ),
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11.3v5M12 8v.1"/>',
    "link": (
        '<path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3"/>'
        '<path d="M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1"/>'
    ),
    "lock": (
        '<rect x="5" y="10.5" width="14" height="10" rx="2"/><path d="M8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3"/>'
    ),
    "mail": '<rect x="3" y="5.5" width="18" height="13.5" rx="2"/><path d="M3.5 7.5L12 13.5l8.5-6"/>',
    "medal": '<circle cx="12" cy="9" r="5.8"/><path d="M8.8 14l-1.6 7 4.8-2.7 4.8 2.7-1.6-7"/>',
    "mic": (
        '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>'
    ),
    "new_tab": (
        '<path d="M13.5 4H20v6.5M20 4l-8.5 8.5"/>'
        '<path d="M17.5 14v4.5a1.5 1.5 0 0 1-1.5 1.5H5.5A1.5 1.5 0 0 1 4 18.5V8a1.5 1.5 0 0 1 1.5-1.5'
        'H10"/>'
    ),
    "notyet": '<circle cx="12" cy="12" r="9" stroke-dasharray="3.6 3.47"/>',
    "page": '<path d="M5 4h14v16H5z"/><path d="M8.5 8.5h7M8.5 12h7M8.5 15.5h4"/>',
    "pause": '<path d="M9 5.5v13M15 5.5v13"/>',
    "pencil": '<path d="M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19z"/><path d="M13.5 7l3.5 3.5"/>',
    "people": (
        '<circle cx="9" cy="8" r="3.5"/>'
        '<path d="M2.8 19.5c.5-3.7 3-5.6 6.2-5.6s5.7 1.9 6.2 5.6M15.5 4.9a3.5 3.5 0 0 1 0 6.3M18 14.3'
        'c1.9.8 3 2.6 3.3 5.2"/>'
    ),
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "search": '<circle cx="10.8" cy="10.8" r="6.3"/><path d="M15.5 15.5L20.5 20.5"/>',
    "send": '<path d="M20.5 3.5L10.5 13.5M20.5 3.5l-6 17-4-7-7-4z"/>',
    "shield": (
        '<path d="M12 3l7.5 2.7v5.6c0 4.7-3 7.9-7.5 9.7-4.5-1.8-7.5-5-7.5-9.7V5.7z"/>'
        '<path d="M8.5 11.9l2.5 2.5 4.5-4.6"/>'
    ),
    "speech": '<path d="M4 5h16v11h-8.5L7 20v-4H4z"/>',
    "star": (
        '<path d="M12 3.2l2.7 5.6 6.1.8-4.5 4.3 1.1 6.1L12 17l-5.4 3 1.1-6.1L3.2 9.6l6.1-.8z" fill="c'
        'urrentColor"/>'
    ),
    "stop": '<path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z"/><path d="M12 8v5M12 16v.1"/>',
    "tick": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "todo": '<circle cx="12" cy="12" r="9"/>',
    "warn": '<path d="M12 4l9 16H3z"/><path d="M12 10.5v4M12 17.3v.1"/>',
}


def icon(name: str, *, css: str = "") -> Markup:
    """The icon as inline SVG, hidden from assistive technology. Raises KeyError for an unknown name."""
    names = escape(f"icon {css}".rstrip())
    # Shapes are constants of ours, class names are escaped: nothing from outside is marked safe here.
    return Markup('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>').format(
        names,
        Markup(_SHAPES[name]),  # noqa: S704
    )
