export async function mountViews() {}
