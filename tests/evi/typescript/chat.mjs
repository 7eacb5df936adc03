// A chat through Hume's own client, told line by line to the test that started this program.
// No script here ends the process: that it ends by itself shows that nothing reconnects.

import { readFileSync } from "node:fs";

/** What the test asks for. */
export const given = JSON.parse(readFileSync(0, "utf8"));

/** Tells the test something, as one line of JSON. */
export function tell(what) {
    process.stdout.write(`${JSON.stringify(what)}\n`);
}

// The client delivers a message that breaks its schema all the same, and only warns.
console.warn = (...words) => tell({ warned: words.map(String).join(" ") });

/** Everything that a socket of the client delivers, to be waited for in order. */
export class Chat {
    constructor(name, socket) {
        this.socket = socket;
        this.closed = null;
        this.unread = [];
        this.wake = () => {};
        socket.on("open", () => tell({ chat: name, opened: true }));
        socket.on("message", (message) => {
            tell({ chat: name, message });
            this.unread.push(message);
            this.wake();
        });
        socket.on("error", (error) => {
            tell({ chat: name, failed: error.message });
            this.wake();
        });
        socket.on("close", (event) => {
            // At this moment the client has counted a reconnection, if it is going to try one.
            this.closed = { code: event.code, retries: socket.socket.retryCount };
            tell({ chat: name, closed: this.closed });
            if (this.closed.retries > 0) socket.socket.close(); // told; it need not be tried
            this.wake();
        });
    }

    /** Returns the next message that `wanted` (a type, or a function of it) is true of. */
    async until(wanted) {
        const fits = typeof wanted === "string" ? (message) => message.type === wanted : wanted;
        for (;;) {
            while (this.unread.length > 0) {
                const message = this.unread.shift();
                if (fits(message)) return message;
            }
            if (this.closed) throw new Error(`closed (${this.closed.code}) before ${wanted}`);
            await new Promise((resolve) => (this.wake = resolve));
        }
    }

    /** Returns when the connection is closed, by whomever. */
    async end() {
        while (!this.closed) await new Promise((resolve) => (this.wake = resolve));
    }

    /** Speaks as a microphone does: a piece (base64) every 100 ms, whatever is heard meanwhile. */
    async speak(pieces, binary = false) {
        for (const data of pieces) {
            if (binary) this.socket.sendBinary(Buffer.from(data, "base64"));
            else this.socket.sendAudioInput({ data });
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
    }
}

/** The final words of the user, as against those of a sentence that still goes on. */
export const finalWords = (message) => message.type === "user_message" && !message.interim;

/** All items of a listing, over as many pages as it has. */
export async function all(listing) {
    const found = [];
    for await (const item of await listing) found.push(item);
    return found;
}
