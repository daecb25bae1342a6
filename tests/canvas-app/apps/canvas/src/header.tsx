import { useState } from "react";
import { clear } from "./session";

/** The account's menu is the last button, as in the real canvas, where it has no name. */
export function Header({ title }: { title: string }) {
    const [open, setOpen] = useState(false);
    function logOut() {
        clear();
        window.location.replace("/login");
    }
    return (
        <header>
            <a href="/">Orcheo</a> <span>{title}</span>
            <button aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
                Account
            </button>
            {open && (
                <div role="menu">
                    <div role="menuitem" tabIndex={0} onClick={logOut}>
                        Log out
                    </div>
                </div>
            )}
        </header>
    );
}
