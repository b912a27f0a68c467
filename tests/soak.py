"""How long the fuzz and chaos tests go on: as long as a test run may, times what ``make soak`` asks for."""

import os

LONGER = int(os.environ.get("UNRANSOM_SOAK", "1"))
