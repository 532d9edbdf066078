// Views that only some labs have. The module of such a view puts it here; where it is not in the bundle, nothing is.

/** The parts that are there, by name; a part has `tabs(spec)`, [[id, title], ...], and `views(ctx)`, {id: view}. */
export const parts = {};
