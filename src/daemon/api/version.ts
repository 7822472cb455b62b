/** The version of all that the daemon tells; apart from the schemas, which only a client has to load. */
export const apiVersion = "pulley.dev/v1alpha1";
