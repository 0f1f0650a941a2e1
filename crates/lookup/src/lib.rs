//! Questions answered at once: names, addresses, vendors, registries.
