"""Where Playwright looks for Chromium."""

import json
import unittest
from pathlib import Path

import browser


class Links(unittest.TestCase):
    def test_they_are_named_by_the_revision_that_playwright_was_made_with(self) -> None:
        listed = json.dumps({"browsers": [{"name": "chromium", "revision": "1255"}, {"name": "firefox", "revision": "1"}]})
        places = [str(place) for place in browser.links(Path("/opt/browsers"), browser.revision(listed))]
        self.assertIn("/opt/browsers/chromium_headless_shell-1255/chrome-headless-shell-linux64/chrome-headless-shell", places)
        self.assertEqual(len(places), 4)

    def test_another_form_of_the_list_is_refused(self) -> None:
        with self.assertRaises(SystemExit):
            browser.revision('{"browsers": []}')


if __name__ == "__main__":
    unittest.main()
