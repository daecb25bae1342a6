import { lazy, Suspense } from "react";
import { Callback, Login } from "./login";
import { authEnabled } from "./oidc";
import { accessToken } from "./session";

// Parts of their own, as upstream's pages are: chunks that import from the main one and are named by it.
const Gallery = lazy(() => import("./gallery"));
const WorkflowPage = lazy(() => import("./workflow"));

/** The real canvas' routes, as far as the tests need them. Every change of page loads it anew. */
export function App() {
    const { pathname, search } = window.location;
    if (pathname === "/auth/callback") return <Callback />;
    if (pathname === "/login" || (authEnabled && accessToken() === null)) {
        if (pathname === "/login") return <Login returnTo={history.state?.from ?? "/"} />;
        history.replaceState({ from: `${pathname}${search}` }, "", "/login");
        return <Login returnTo={`${pathname}${search}`} />;
    }
    const [, page, reference] = pathname.split("/");
    return (
        <Suspense fallback={<p>Loading workflows</p>}>
            {page === "workflow-canvas" && reference ? <WorkflowPage reference={reference} /> : <Gallery />}
            <footer className="notice">
                The small stand-in canvas of the tests. Orcheo&apos;s own is built from its source tree; see the README
                of the deployment.
            </footer>
        </Suspense>
    );
}
