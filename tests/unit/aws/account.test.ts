import { once } from "node:events";
import { expect, it } from "vitest";
import { startAccount } from "../../verdicts/aws/account.ts";

it("the AWS account of the tests ends with the process that started it, however that ends", async () => {
    const api = { server: "https://127.0.0.1:1", "certificate-authority-data": "Q0E=" };
    const { server } = await startAccount("111122223333", api);
    const ended = once(server, "exit");
    // As the kernel does for a process that is killed.
    server.stdin?.end();
    expect(await ended).toEqual([0, null]);
});
