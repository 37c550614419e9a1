"""Every option of `fit`, declared once in `declared`; `values` reads what is given, `checking` says what is wrong."""

from shoal.settings.checking import check_settings as check_settings
from shoal.settings.checking import choices_of as choices_of
from shoal.settings.checking import default_in_words as default_in_words
from shoal.settings.checking import kept_settings as kept_settings
from shoal.settings.checking import settings_in_words as settings_in_words
from shoal.settings.checking import without_functions as without_functions
from shoal.settings.declared import FLAG_NAMES as FLAG_NAMES
from shoal.settings.declared import NETWORKS as NETWORKS
from shoal.settings.declared import FitSettings as FitSettings
