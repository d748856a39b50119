# SPDX-License-Identifier: Apache-2.0
"""How hard hypothesis tries: HYPOTHESIS_PROFILE=quick (the same cases each time) or long."""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=60, derandomize=True, database=None, deadline=None)
settings.register_profile("long", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
