// Opens the documentation of this server's own API; asks no other host.
window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#documentation",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
