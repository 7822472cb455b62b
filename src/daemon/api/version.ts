/** The version of the API. In a file of its own, so that servers need not load the schemas. */
export const apiVersion = "pulley.dev/v1alpha1";
