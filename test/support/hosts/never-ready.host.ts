/** A host whose imports never end, as a package on a mount that hangs. */
setInterval(() => undefined, 1_000);
