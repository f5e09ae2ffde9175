// Where the links of Markdown pages lead: which files and headings are not there.
// Change it when pages link to each other in another way.
import { dirname, join, normalize } from "node:path";
import GithubSlugger from "github-slugger";
import { lexer, type Token, walkTokens } from "marked";

/**
 * Returns "page: target" for each link or image that leads nowhere. Links to other sites are not followed.
 * @param pages the text of each page by its path
 * @param isFile whether there is a file or a folder with this path
 */
export function brokenLinks(pages: ReadonlyMap<string, string>, isFile: (path: string) => boolean): string[] {
  const headings = new Map([...pages].map(([page, content]) => [page, headingsOf(content)]));
  const isBroken = (page: string, href: string): boolean => {
    const [path = "", heading] = decodeURI(href).split("#", 2);
    const target = path === "" ? page : normalize(join(dirname(page), path));
    if (!isFile(target)) return true;
    return heading !== undefined && headings.get(target)?.has(heading) !== true;
  };
  return [...pages].flatMap(([page, content]) =>
    linksOf(content)
      .filter((href) => !/^[a-z]+:/i.test(href) && isBroken(page, href))
      .map((href) => `${page}: ${href}`),
  );
}

function tokensOf(content: string): Token[] {
  const tokens: Token[] = [];
  walkTokens(lexer(content), (token) => void tokens.push(token));
  return tokens;
}

function linksOf(content: string): string[] {
  return tokensOf(content).flatMap((token) => (token.type === "link" || token.type === "image" ? [token.href] : []));
}

/** The anchors that GitHub makes. */
function headingsOf(content: string): Set<string> {
  const slugger = new GithubSlugger();
  return new Set(
    tokensOf(content).flatMap((token) =>
      token.type === "heading" ? [slugger.slug(token.text.replaceAll("`", ""))] : [],
    ),
  );
}
