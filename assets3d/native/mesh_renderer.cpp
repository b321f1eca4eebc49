// placeholder, filled soon
