"""How libpq interprets a URL, according to the library itself."""

import ctypes


class Option(ctypes.Structure):
    """PQconninfoOption."""

    _fields_ = [(name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")] + [
        ("dispsize", ctypes.c_int)
    ]


def read(url: str, library: str = "libpq.so.5") -> dict[str, str] | None:
    """The URL's keywords and values; empty for a form that libpq does not read, None without libpq."""
    try:
        libpq = ctypes.CDLL(library)
    except OSError:
        # Without libpq pg_dump could not run either: this only happens in tests.
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
