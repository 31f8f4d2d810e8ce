import type { Sentences } from './en';

/** The page's sentences in Chinese. */
export const zh: Sentences = {
  app: {
    name: 'Podgate',
    skip: '跳到正文',
  },
  login: {
    title: '登录',
    username: '用户名',
    password: '密码',
    submit: '登录',
    sending: '正在登录…',
    firstStart: '首次启动？服务器启动时已输出 <admin>admin</admin> 的密码。',
    wrong: '用户名或密码错误。',
    locked: '此账号已停用。',
    tooMany: '来自此网络的错误密码过多，请在 {{time}} 后重试。',
    usernameMissing: '请输入用户名。',
    passwordMissing: '请输入密码。',
  },
  account: {
    title: '账号',
    loggedInAs: '当前登录用户：{{name}}。',
    username: '用户名',
    email: '邮箱',
    noEmail: '无',
    role: '角色',
    logOut: '退出登录',
    loggingOut: '正在退出…',
  },
  settings: {
    language: '语言',
    theme: '主题',
    themeSystem: '跟随系统',
    themeLight: '浅色',
    themeDark: '深色',
  },
  error: {
    notConnected: '未连接：Podgate 在此地址没有响应。',
    fault: '这是 Podgate 自身的故障。请把请求编号 {{request}} 告知管理员。',
    noPage: '页面 {{path}} 不存在。',
    toStart: '返回首页',
    again: '重试',
  },
};
