"""What libpq reads in a URL, asked of the library itself."""

import ctypes


class Option(ctypes.Structure):
    """PQconninfoOption."""

    _fields_ = [(name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")] + [
        ("dispsize", ctypes.c_int)
    ]


def read(url: str, library: str = "libpq.so.5") -> dict[str, str] | None:
    """Keyword and value of what the URL says, nothing for a form that libpq does not read; None without libpq."""
    try:
        libpq = ctypes.CDLL(library)
    except OSError:
        # pg_dump could not run either: only the tests do without it.
        return None
    libpq.PQconninfoParse.restype = ctypes.POINTER(Option)
    libpq.PQconninfoFree.argtypes = [ctypes.POINTER(Option)]
    options = libpq.PQconninfoParse(url.encode(), None)
    if not options:
        return {}
    values: dict[str, str] = {}
    index = 0
    while keyword := options[index].keyword:
        if options[index].val is not None:
            values[keyword.decode()] = options[index].val.decode(errors="replace")
        index += 1
    libpq.PQconninfoFree(options)
    return values
