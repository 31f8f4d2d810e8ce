/** Manifest 视图的文案。 */
export const yaml = {
  find: '查找',
  none: '未找到',
  hitOf: '第 {{current}} 处，共 {{count}} 处',
  previous: '上一处',
  next: '下一处',
  copy: '复制',
  download: '下载',
  lines_one: '{{number}} 行，只读',
  lines_other: '{{number}} 行，只读',
  folded_one: '{{count}} 行',
  folded_other: '{{count}} 行',
  fold: '折叠第 {{number}} 行',
  unfold: '展开第 {{number}} 行',
  linkTo: '链接到第 {{number}} 行',
  last: '这是最后一次读取的 manifest。',
};
