import Link from "next/link";
import type { ReactNode } from "react";

export const metadata = { icons: "data:," };

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <nav>
          <Link href="/">Start</Link> <Link href="/login">Sign in or out</Link> <Link href="/account">Account</Link>
        </nav>
        {children}
      </body>
    </html>
  );
}
