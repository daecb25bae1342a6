/** The settings of the canvas, by upstream's names. An image build compiles placeholders in; its start replaces them. */
const compiled = {
    VITE_ORCHEO_BACKEND_URL: import.meta.env.VITE_ORCHEO_BACKEND_URL,
    VITE_ORCHEO_AUTH_ISSUER: import.meta.env.VITE_ORCHEO_AUTH_ISSUER,
    VITE_ORCHEO_AUTH_CLIENT_ID: import.meta.env.VITE_ORCHEO_AUTH_CLIENT_ID,
    VITE_ORCHEO_AUTH_REDIRECT_URI: import.meta.env.VITE_ORCHEO_AUTH_REDIRECT_URI,
    VITE_ORCHEO_AUTH_SCOPES: import.meta.env.VITE_ORCHEO_AUTH_SCOPES,
    VITE_ORCHEO_AUTH_AUDIENCE: import.meta.env.VITE_ORCHEO_AUTH_AUDIENCE,
    VITE_ORCHEO_AUTH_ORGANIZATION: import.meta.env.VITE_ORCHEO_AUTH_ORGANIZATION,
    VITE_ORCHEO_AUTH_PROVIDER_PARAM: import.meta.env.VITE_ORCHEO_AUTH_PROVIDER_PARAM,
    VITE_ORCHEO_AUTH_PROVIDER_GOOGLE: import.meta.env.VITE_ORCHEO_AUTH_PROVIDER_GOOGLE,
    VITE_ORCHEO_AUTH_PROVIDER_GITHUB: import.meta.env.VITE_ORCHEO_AUTH_PROVIDER_GITHUB,
    VITE_ORCHEO_CHATKIT_DOMAIN_KEY: import.meta.env.VITE_ORCHEO_CHATKIT_DOMAIN_KEY,
};

/** Looked up by a name that the bundler does not know: it would take the placeholder for the value and drop every default. */
export const setting = (name: string): string =>
    ((compiled as Record<string, string | undefined>)[`VITE_ORCHEO_${name}`] ?? "").trim();

/** Origin of the backend, without a slash at the end; this page's own origin where none is set (`npm run dev`). */
export const backend: string = setting("BACKEND_URL") || window.location.origin;
