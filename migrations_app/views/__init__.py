"""Which HTTP answer? One module per resource."""
