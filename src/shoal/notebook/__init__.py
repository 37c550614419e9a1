"""How things show themselves in notebooks: tables and drawings as HTML, and the widget that draws curves."""
