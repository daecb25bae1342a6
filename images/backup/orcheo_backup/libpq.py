"""libpq, which pg_dump connects with too: how it interprets a URL, and one statement for the database."""

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


class ExecuteError(Exception):
    """The database's answer."""


def execute(parameters: dict[str, str], statements: str, library: str = "libpq.so.5") -> None:
    """Connects, by libpq's keywords; all statements are one transaction. Raises ExecuteError or OSError (no libpq)."""
    libpq = ctypes.CDLL(library)
    for name in ("PQconnectdbParams", "PQexec"):
        getattr(libpq, name).restype = ctypes.c_void_p
    libpq.PQerrorMessage.restype = ctypes.c_char_p
    array = ctypes.c_char_p * (len(parameters) + 1)
    names = array(*(each.encode() for each in parameters), None)
    values = array(*(each.encode() for each in parameters.values()), None)
    # `dbname` may be a URL.
    connection = ctypes.c_void_p(libpq.PQconnectdbParams(names, values, 1))
    try:
        # CONNECTION_OK is 0, PGRES_COMMAND_OK is 1.
        done = libpq.PQstatus(connection) == 0
        if done:
            result = ctypes.c_void_p(libpq.PQexec(connection, statements.encode()))
            done = libpq.PQresultStatus(result) == 1
            libpq.PQclear(result)
        if not done:
            raise ExecuteError(libpq.PQerrorMessage(connection).decode(errors="replace").strip())
    finally:
        libpq.PQfinish(connection)
