"""Names that are allowed, and the one that was probably meant."""


def one_of(names: list[str]) -> str:
    """Join names as a reader would: ``a, b or c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def did_you_mean(value: str, known: list[str]) -> str:
    """Name the known name nearest to a wrong one, and all that are allowed."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    by_lower_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(value.lower(), by_lower_case, n=1)
    hint = f"did you mean {by_lower_case[close[0]]}? " if close else ""
    return f"{hint}allowed: {one_of(known)}"
