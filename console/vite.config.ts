import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Two entries: the page itself, and the element that other pages embed (README.md). Nothing is inlined as a data: URL,
// for the Content-Security-Policy names no such source for scripts and styles.
export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    chunkSizeWarningLimit: 600,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { console: "index.html", "management-session": "src/element.tsx" },
      preserveEntrySignatures: "allow-extension",
      output: {
        assetFileNames: "management-session[extname]",
        chunkFileNames: "assets/shared-[hash].js",
        entryFileNames: (chunk) => (chunk.name === "management-session" ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
