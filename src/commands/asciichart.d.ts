/** The part of asciichart (which has no types) that we use. */
declare module "asciichart" {
  interface PlotOptions {
    height?: number;
    format?: (value: number) => string;
    colors?: (string | undefined)[];
  }
  const asciichart: {
    plot(series: readonly (readonly number[])[], options?: PlotOptions): string;
    blue: string;
    lightred: string;
    green: string;
    yellow: string;
    reset: string;
  };
  export default asciichart;
}
