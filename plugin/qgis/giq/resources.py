"""Files of the plugin."""
import os

FOLDER = os.path.dirname(__file__)
ICON = os.path.join(FOLDER, "icon.svg")
