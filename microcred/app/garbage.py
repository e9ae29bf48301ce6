"""The garbage collector in a process that lives long."""

import gc


def keep_what_is_here() -> None:
    """What was made until now stays for good.

    Looking through modules, statements and settings again and again for garbage stopped every thread for a
    tenth of a second each time, and took a worker a sixth of its time.
    """
    gc.collect()
    gc.freeze()
