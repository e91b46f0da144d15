"""`python -m models.admin`: the operator's commands. They join settings, records and work, so they stand in `admin.py`
at the top, like `server.py`; this is the name that they are called by. Nobody imports it.
"""

import runpy

if __name__ == "__main__":
    runpy.run_module("admin", run_name="__main__")
